"""The 36 extracts: which rows each system holds, as its file carries them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from synthetic_city.extracts import child, citizens, education, family_services, health, partners, welfare
from synthetic_city.extracts.shared import City
from synthetic_city.writing import Extract

BUILDERS: tuple[Callable[[City], Extract], ...] = (
    citizens.resident_register,
    citizens.household_history,
    citizens.support_measures,
    citizens.parentage,
    citizens.marriages,
    citizens.national_health_insurance,
    child.child_allowance,
    child.child_rearing_allowance,
    child.nursery_enrolment,
    child.nursery_attendance,
    child.child_consultations,
    child.council_cases,
    child.dv_consultations,
    health.pregnancy_notifications,
    health.newborn_visits,
    health.antenatal_checkups,
    health.postnatal_care,
    health.infant_checkups,
    health.vaccinations,
    welfare.public_assistance,
    welfare.disability_certificates,
    welfare.livelihood_consultations,
    welfare.care_certifications,
    education.school_enrolment,
    education.school_attendance,
    education.school_aid,
    education.school_checkups,
    education.school_consultations,
    education.education_consultations,
    education.education_support_centre,
    family_services.home_visit_support,
    family_services.childcare_support_uses,
    family_services.after_school_club,
    family_services.medical_aid,
    partners.guidance_centre_cases,
    partners.social_council_services,
)
"""One builder per source; some read what an earlier one noted in the city."""


def build_all(city: City) -> Iterator[Extract]:
    """Every extract, one after the other, so that only one is in memory."""
    for builder in BUILDERS:
        yield builder(city)


__all__ = ["BUILDERS", "City", "build_all"]
