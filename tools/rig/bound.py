"""A store that already knows whose patient a wearable wears, without the wearable being asked."""

from host_agent.patient.binding_rows import begin_start, open_binding, reconcile
from host_agent.patient.profile import make_profile
from host_agent.store.db import Tx
from host_agent.store.journals import ensure_device


def bind_patient(tx: Tx, device_id: bytes, binding_id: bytes) -> None:
    """Bind an adult to this wearable, as `cytowatch patient start` leaves it; the wearable must hold `binding_id`."""
    device = ensure_device(tx, device_id, 0)
    profile = make_profile(patient=binding_id.hex(), age_years=54, site="axilla")
    begin_start(tx, device, device_id, binding_id=binding_id, profile=profile, text="", utc_ms=0)
    reconcile(tx, device, binding_id, 0)
    assert open_binding(tx, device) is not None
