"""HL7 v2 messages for tests."""


def oru(
    *results: str,
    control: str = "c1",
    patient: str = "4711^^^HOSP_A^MR",
    born: str = "19610504",
    sex: str = "M",
    order: str = "f1",
    charset: str = "UNICODE UTF-8",
) -> str:
    """ORU^R01 with one order; results are OBX fields from OBX-2 on ("NM|1834-1^AFP^LN||10|…")."""
    segments = [
        f"MSH|^~\\&|LAB|HOSP_A|HEPATOCAST||20240220081500||ORU^R01^ORU_R01|{control}|P|2.5.1"
        f"||||||{charset}",
        f"PID|1||{patient}||Döring^J||{born}|{sex}",
        f"OBR|1|p1|{order}|24325-3^Panel^LN|||20240220",
        *(f"OBX|{number}|{result}" for number, result in enumerate(results, start=1)),
    ]
    return "\r".join(segments) + "\r"


def adt(trigger: str, control: str, patient: str, *, born: str = "19610504", old: str = "") -> str:
    """ADT message: "A08" update, or "A40" merge of ``old`` into ``patient``."""
    segments = [
        f"MSH|^~\\&|ADT|HOSP_A|HEPATOCAST||20240221||ADT^{trigger}|{control}|P|2.5.1",
        f"PID|1||{patient}||Doe^J||{born}|M",
        *([f"MRG|{old}"] if old else []),
    ]
    return "\r".join(segments) + "\r"
