"""HL7 v2 messages become identities and raw values."""

import contextlib
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.clinical.hl7_reading import (
    MalformedMessageError,
    acknowledge,
    current_values,
    read_message,
)
from engine.clinical.intake import accept
from engine.errors import ClinicalDataError
from engine.values.clinical import Observation

HEAD = r"MSH|^~\&|LAB|HOSP_A|HEPATOCAST||20240220081500||ORU^R01^ORU_R01|{control}|P|2.5.1"
PERSON = "PID|1||4711^^^HOSP_A^MR~99^^^NAT^SS||Doe^J||19610504|M"


def message(*segments: str, control: str = "c1", charset: str = "") -> bytes:
    head = HEAD.format(control=control) + (f"||||||{charset}" if charset else "")
    return "\r".join((head, *segments)).encode("utf-8") + b"\r"


ORDER = "OBR|1|p1|f1|24325-3^Panel^LN|||20240220"


def test_a_result_is_read_with_code_unit_date_status_and_source() -> None:
    data = message(
        PERSON, ORDER, "OBX|1|NM|1751-7^Albumin^LN||3.9|g/dL^^UCUM|3.5-5|N|||F|||20240219"
    )
    parsed = read_message(data)
    assert (parsed.kind, parsed.control_id) == ("ORU^R01", "c1")
    assert [(i.patient_id, i.issuer) for i in parsed.identities] == [
        ("4711", "HOSP_A"),
        ("99", "NAT"),
    ]
    assert parsed.identities[0].birth_date == date(1961, 5, 4)
    (raw,) = current_values([parsed])
    assert (raw.code, raw.value, raw.unit, raw.status) == ("albumin", "3.9", "g/dL", "final")
    assert raw.observed_on == date(2024, 2, 19)
    assert raw.source == "HL7 message c1 OBX 1"
    observation = accept(raw)
    assert isinstance(observation, Observation)
    assert observation.value == pytest.approx(39.0)


def test_a_structured_number_and_the_reference_range_are_read() -> None:
    data = message(
        PERSON,
        ORDER,
        "OBX|1|SN|1834-1^AFP^LN||<^2.0|ng/mL|||||F",
        "OBX|2|NM|AST^AST^L^1920-8^AST^LN||55|U/L|10-35|H|||F",
    )
    raws = {raw.code: raw.value for raw in current_values([read_message(data)])}
    assert raws == {"afp": "<2.0", "ast": "55", "ast_upper_limit": "35"}


def test_a_correction_replaces_and_a_deletion_withdraws() -> None:
    first = read_message(message(PERSON, ORDER, "OBX|1|NM|2951-2^Na^LN||113|mmol/L|||||F"))
    fixed = read_message(
        message(PERSON, ORDER, "OBX|1|NM|2951-2^Na^LN||131|mmol/L|||||C", control="c2")
    )
    gone = read_message(
        message(PERSON, ORDER, "OBX|1|NM|2951-2^Na^LN||131|mmol/L|||||D", control="c3")
    )
    (raw,) = current_values([first, fixed])
    assert (raw.value, raw.status) == ("131", "corrected")
    assert current_values([first, fixed, gone]) == []


def test_escaped_units_are_read() -> None:
    r"""``10\S\9/L`` is 10^9/L: HL7 escapes its own separators (v2.5.1, 2.7)."""
    data = message(PERSON, ORDER, r"OBX|1|NM|777-3^Plt^LN||110|10\S\9/L|||||F|||202402190715")
    (raw,) = current_values([read_message(data)])
    assert raw.unit == "10^9/L"
    assert raw.observed_at == datetime(2024, 2, 19, 7, 15)
    observation = accept(raw)
    assert isinstance(observation, Observation)
    assert observation.value == 110.0


def test_another_order_does_not_replace() -> None:
    first = read_message(message(PERSON, ORDER, "OBX|1|NM|1834-1^AFP^LN||10|ng/mL|||||F"))
    later = ORDER.replace("|f1|", "|f2|").replace("20240220", "20240225")
    second = read_message(message(PERSON, later, "OBX|1|NM|1834-1^AFP^LN||20|ng/mL|||||F"))
    assert [raw.value for raw in current_values([first, second])] == ["10", "20"]


def test_two_people_in_one_message_are_kept_apart() -> None:
    """ORU^R01 may repeat its PATIENT_RESULT group (v2.5.1, 7.3.1)."""
    other = PERSON.replace("4711^^^HOSP_A^MR~99^^^NAT^SS", "8888^^^HOSP_A^MR")
    data = message(
        PERSON, ORDER, "OBX|1|NM|1834-1^AFP^LN||10|ng/mL|||||F",
        other, ORDER, "OBX|1|NM|1834-1^AFP^LN||999|ng/mL|||||F",
    )  # fmt: skip
    parsed = read_message(data)
    mine = parsed.about({("4711", "HOSP_A")})
    assert [raw.value for raw in current_values([mine])] == ["10"]
    assert [i.patient_id for i in mine.identities] == ["4711", "99"]
    assert [raw.value for raw in current_values([parsed.about({("8888", "")})])] == ["999"]


def test_equal_rows_of_one_message_are_different_results() -> None:
    row = "OBX|{0}|NM|1834-1^AFP^LN||{1}|ng/mL|||||F|||{2}"
    data = message(PERSON, ORDER, row.format(1, 10, "20240101"), row.format(2, 20, "20240201"))
    assert [raw.value for raw in current_values([read_message(data)])] == ["10", "20"]


def test_a_preliminary_value_becomes_final_without_being_sent_again() -> None:
    first = read_message(message(PERSON, ORDER, "OBX|1|NM|2951-2^Na^LN||131|mmol/L|||||P"))
    (raw,) = current_values([first])
    assert raw.status == "preliminary"
    done = read_message(message(PERSON, ORDER, "OBX|1|NM|2951-2^Na^LN||||||||U", control="c2"))
    (raw,) = current_values([first, done])
    assert (raw.value, raw.status) == ("131", "final")


def test_the_laboratorys_own_codes_and_coded_words_are_read() -> None:
    data = message(
        PERSON,
        ORDER,
        "OBX|1|NM|AFPQ^AFP^99LAB||10|ng/mL|||||F",
        "OBX|2|CWE|5196-1^HBsAg^LN||77^reactive^99LAB^10828004^Positive^SCT||||||F",
    )
    raws = current_values([read_message(data, {"99LAB|AFPQ": "afp"})])
    assert [(raw.code, raw.value) for raw in raws] == [("afp", "10"), ("hbsag", "reactive")]
    assert [raw.code for raw in current_values([read_message(data)])] == ["hbsag"]


def test_a_universal_id_and_an_unknown_sex_are_read() -> None:
    person = "PID|1||4711^^^&1.2.3&ISO^MR||Doe^J||19610504|X"
    (identity,) = read_message(message(person)).identities
    assert (identity.issuer, identity.sex) == ("1.2.3", "")


def test_the_character_set_of_msh_18_is_honored() -> None:
    text = message(PERSON.replace("Doe", "Müller"), charset="8859/1").decode("utf-8")
    assert read_message(text.encode("latin-1")).identities
    undeclared = message(PERSON.replace("Doe", "Müller")).decode("utf-8").encode("latin-1")
    assert read_message(undeclared).identities[0].patient_id == "4711"
    with pytest.raises(MalformedMessageError, match="MSH-18"):
        read_message(message(PERSON, charset="UNICODE UTF-8").replace(b"Doe", b"M\xfcller"))
    with pytest.raises(MalformedMessageError, match="not supported"):
        read_message(message(PERSON, charset="KLINGON"))


def test_a_merge_names_the_replaced_identifier() -> None:
    merge = message(PERSON, "MRG|0815^^^HOSP_A").replace(b"ORU^R01^ORU_R01", b"ADT^A40^ADT_A39")
    parsed = read_message(merge)
    assert parsed.kind == "ADT^A40"
    assert [(i.patient_id, i.issuer) for i in parsed.replaced] == [("0815", "HOSP_A")]


@pytest.mark.parametrize("data", [b"", b"PID|1||47", b"MSH", b"MSH|", b"\xff\xfe", b"MSH|^~\\&"])
def test_garbage_is_a_malformed_message_and_still_gets_an_answer(data: bytes) -> None:
    with pytest.raises(MalformedMessageError):
        read_message(data)
    answer = acknowledge(data, "AR", "no")
    assert answer.startswith(b"MSH|")
    assert b"\rMSA|AR|" in answer


def test_a_message_of_nothing_but_separators_costs_nothing() -> None:
    with pytest.raises(MalformedMessageError, match="separators"):
        read_message(message(PERSON, ORDER, f"OBX|1|TX|x^y^L||{'~' * 1_000_000}||||||F"))


def test_an_acknowledgment_echoes_the_control_id_and_turns_sender_into_receiver() -> None:
    header, answer, _ = acknowledge(message(PERSON), "AA").decode().split("\r")
    assert header.split("|")[4:6] == ["LAB", "HOSP_A"]
    assert header.split("|")[8] == "ACK^R01^ACK"
    assert answer == "MSA|AA|c1"


@given(tail=st.binary(max_size=80), at=st.integers(0, 200))
def test_any_damage_is_a_clinical_data_error_or_a_message(tail: bytes, at: int) -> None:
    whole = message(PERSON, ORDER, "OBX|1|SN|1834-1^AFP^LN||<^2.0|ng/mL|||||F")
    with contextlib.suppress(ClinicalDataError):
        current_values([read_message(whole[:at] + tail)])
