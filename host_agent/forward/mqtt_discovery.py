"""How Home Assistant finds each wearable at a broker by itself."""

from typing import Any


def discovery(device: str, name: str, topic: str, status_topic: str) -> dict[str, Any]:
    """What Home Assistant is told of one wearable (its MQTT device discovery, `homeassistant/device/ID/config`)."""
    state_topic = f"{topic}/{device}/state"
    own = f"cytowatch-{device}"
    return {
        "device": {"identifiers": [own], "name": f"CytoWatch {name}", "manufacturer": "CytoWatch"},
        "origin": {"name": "cytowatch"},
        "availability": [{"topic": status_topic}],
        "state_topic": state_topic,
        "components": {
            f"{own}-event": {
                "platform": "sensor",
                "unique_id": f"{own}-event",
                "default_entity_id": f"sensor.cytowatch_{device}_event",
                "name": "Newest event",
                "value_template": "{{ value_json.name }}",
                "json_attributes_topic": state_topic,
            },
            f"{own}-priority": {
                "platform": "sensor",
                "unique_id": f"{own}-priority",
                "default_entity_id": f"sensor.cytowatch_{device}_priority",
                "name": "Priority of the newest event",
                "value_template": "{{ value_json.priority }}",
            },
        },
    }
