"""Results as FHIR resources."""

import json
from dataclasses import replace

import pytest

from engine.reporting.fhir import FhirSubject, build_resources, compose_fhir
from tests.phantoms.analysis_result import cached_result

SUBJECT = FhirSubject(reference="Patient/12")


def test_the_same_result_gives_the_same_resources_and_another_job_others() -> None:
    result = cached_result()
    first = build_resources(result, SUBJECT)
    assert first == build_resources(result, SUBJECT)
    other = replace(result, context=replace(result.context, job_id="job-2"))
    identifiers = [r["identifier"][0]["value"] for r in first]
    assert len(set(identifiers)) == len(identifiers)
    for mine, theirs in zip(first, build_resources(other, SUBJECT), strict=True):
        assert mine["identifier"] != theirs["identifier"]


def test_everything_is_preliminary_about_one_patient_and_based_on_the_study() -> None:
    result = cached_result()
    uid = f"urn:oid:{result.reference.study.study_instance_uid}"
    for resource in build_resources(result, SUBJECT):
        assert resource["status"] == "preliminary"
        assert resource["subject"] == {"reference": "Patient/12"}
        assert uid in json.dumps(resource)
        assert "research use" in json.dumps(resource)


def test_a_risk_assessment_gives_the_probability_of_the_event_in_percent() -> None:
    result = cached_result()
    (prediction,) = result.predictions
    _, risk = build_resources(result, SUBJECT)
    assert risk["resourceType"] == "RiskAssessment"
    assert [p["whenRange"]["high"]["value"] for p in risk["prediction"]] == list(
        prediction.times_months
    )
    assert [p["probabilityDecimal"] for p in risk["prediction"]] == pytest.approx(
        [100 * (1 - survival) for survival in prediction.survival], abs=1e-4
    )


def test_the_file_is_a_bundle_of_the_resources() -> None:
    result = cached_result()
    bundle = json.loads(compose_fhir(result).content)
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "collection")
    resources = [entry["resource"] for entry in bundle["entry"]]
    assert resources == json.loads(json.dumps(build_resources(result, FhirSubject())))


def test_every_computed_score_is_a_contained_observation_with_its_inputs() -> None:
    result = cached_result()
    report = build_resources(result, SUBJECT)[0]
    computed = [score for score in result.scores if score.value is not None]
    assert [o["code"]["text"] for o in report["contained"]] == [s.name for s in computed]
    assert [r["reference"] for r in report["result"]] == [
        f"#{o['id']}" for o in report["contained"]
    ]
    for observation, score in zip(report["contained"], computed, strict=True):
        assert observation["valueQuantity"]["value"] == pytest.approx(score.value, abs=1e-6)
        assert len(observation["component"]) == sum(i.value is not None for i in score.inputs)


def test_without_the_servers_id_the_identifier_names_the_patient() -> None:
    result = cached_result()
    report = build_resources(result, FhirSubject(system="urn:hosp-a"))[0]
    assert report["subject"] == {
        "type": "Patient",
        "identifier": {
            "system": "urn:hosp-a",
            "value": result.reference.study.patient.patient_id,
        },
    }
    assert "reference" not in report["subject"]


def test_no_name_of_the_patient_leaves_the_house() -> None:
    name = cached_result().reference.study.patient.patient_name
    for part in name.replace("^", " ").split():
        assert part not in json.dumps(build_resources(cached_result(), SUBJECT))
