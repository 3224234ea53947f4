"""One simulated patient, drawn from (seed, number) and therefore equal on every machine."""

from dataclasses import dataclass
from random import Random

from tools.lab.evaluate.body import Body, live
from tools.lab.evaluate.illness import Illness, plan
from tools.lab.evaluate.parameters import PRODUCTS, Product
from tools.lab.evaluate.worn import Worn, wear


@dataclass
class Patient:
    """A simulated patient: plan, true values and sensor series of `days` days from midnight of the day of infusion."""

    number: int
    product: Product
    days: int
    ill: Illness
    body: Body
    worn: Worn


def simulate(seed: int, number: int, days: int) -> Patient:
    """Draw patient `number` of the run `seed`. Products take turns; each part has its own random numbers."""
    product = PRODUCTS[number % len(PRODUCTS)]
    ill = plan(Random(f"{seed}/{number}/illness"), product, days)
    body = live(Random(f"{seed}/{number}/body"), ill, days)
    worn = wear(Random(f"{seed}/{number}/worn"), ill, body, days)
    return Patient(number, product, days, ill, body, worn)
