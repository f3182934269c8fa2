"""Every rate of the synthetic city, with its source or its reason.

Series are given for the years before the as-of date, so that the city has the same shape at any as-of date; counts
are for a city of 51,492 residents and scale with the number asked for.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

REFERENCE_RESIDENTS = 51_492
DEFAULT_SEED = 20_260_401
DEFAULT_AS_OF = dt.date(2026, 4, 1)


def rate(default: float, reason: str) -> float:
    """A parameter with the source or the reason for its value."""
    return field(default=default, metadata={"reason": reason})


@dataclass(frozen=True)
class Parameters:
    """What to make, and the rates it is made from."""

    residents: int = REFERENCE_RESIDENTS
    seed: int = DEFAULT_SEED
    as_of: dt.date = DEFAULT_AS_OF

    # --- time --------------------
    burn_in_years: int = rate(88, "Simulated years before the as-of date: its residents have real kin from then on")
    history_from_year: int = rate(1980, "Household history and paper ledgers go back to 1980")
    removed_records_from_year: int = rate(
        2014, "Removed records (除票) are kept for 150 years since 2019; those removed before June 2014 were destroyed"
    )
    monthly_records_years: int = rate(4, "Years of monthly attendance: three years to learn from and one to look back")

    # --- families --------------------
    twin_rate: float = rate(0.010, "Vital statistics: about 1 % of deliveries are of twins")
    unmarried_birth_share: float = rate(0.024, "Vital statistics 2020: 2.4 % of births outside marriage")
    recognition_share: float = rate(0.5, "Assumed: half of the fathers of such children recognise them (認知)")
    wife_takes_husbands_name: float = rate(0.955, "Vital statistics 2020: 95.3 % of couples take the husband's name")
    groom_household_share: float = rate(0.42, "Three-generation households are common in Sado; census 2020, raised")
    bride_household_share: float = rate(0.05, "Assumed: 婿 who move into the wife's family")
    divorce_rate: float = rate(0.014, "About 1.5 divorces per 1,000 people; falls with the years of marriage")
    mother_custody: float = rate(0.87, "Vital statistics 2020: the mother keeps all children in 85 % of divorces")
    maiden_name_return: float = rate(0.6, "About 60 % take the former name back, 40 % keep it (婚氏続称)")
    step_adoption: float = rate(0.45, "Assumed: just under half of remarried husbands adopt the wife's children")
    son_in_law_adoption: float = rate(0.4, "Assumed: husbands in the wife's house who are adopted by her father")
    dissolution_after_divorce: float = rate(0.7, "Assumed: adoptions by a stepfather that end (離縁) with the divorce")
    cohabitation_rate: float = rate(0.006, "Assumed: unregistered partners who share a household, among the unmarried")
    remarriage_factor: float = rate(0.6, "Vital statistics: a fifth of marriages are of someone divorced")
    foreign_share: float = rate(0.05, "Share of newcomers from abroad: gives under 1 % foreign residents as in Sado")

    # --- moves --------------------
    leave_at_18: float = rate(0.66, "Most leave the island after high school; population census, cohort change")
    leave_in_twenties: float = rate(0.055, "Later leavers, cohort change 20–29")
    household_leaves: float = rate(0.010, "Transfers and moves of whole families out of the city, per year")
    return_share: float = rate(0.45, "Share of arrivals who grew up in the city (U-turn); city's settlement statistics")
    new_number_on_return: float = rate(0.15, "Assumed: returns in which the old 宛名番号 was not reused")
    move_within: float = rate(0.016, "Moves of households within the city per year; higher for young households")
    institution_rate: float = rate(
        0.07, "Yearly entry into care homes from age 80; about 3 % of those over 65 live there"
    )
    institution_size: float = rate(45, "Residents of one care home")

    # --- transmission --------------------
    adversity_inheritance: float = rate(
        0.55, "Correlation of family adversity between generations; cohort studies 0.3–0.6"
    )
    assortative_mating: float = rate(0.35, "Correlation of spouses' adversity, through the order in which they meet")

    # --- cases --------------------
    case_incidence: float = rate(
        0.0085, "New council cases per child and year: about 1–2 % of children have an open case (council statistics)"
    )
    old_case_share: float = rate(0.75, "Cases before 2005 that the paper ledgers still show")
    correction_rate: float = rate(0.002, "Assumed: rows of monthly records that a later delivery corrects")
    case_months: float = rate(20, "Mean length of a council case")
    sibling_case: float = rate(0.55, "Siblings in the household who are entered with the first child")
    guidance_with_council: float = rate(0.33, "Council cases that the guidance centre also has")
    guidance_alone: float = rate(0.0022, "Guidance centre cases that the council does not have, per child and year")
    consultation_before_case: float = rate(0.8, "Council cases that began as a consultation")
    consultation_alone: float = rate(0.014, "Other consultations per child and year; a third name a kind of abuse")
    dv_support_rate: float = rate(0.7, "Separations with violence that end in a support measure (支援措置)")

    # --- benefits and health --------------------
    public_assistance_share: float = rate(0.011, "About 1.1 % of residents; lower than the national 1.6 %")
    want_share: float = rate(
        0.016,
        "Households with children that come to want in a year: consultations of 生活困窮者自立支援 and food banks",
    )
    want_records_years: int = rate(9, "Years of such records")
    insurance_share: float = rate(0.21, "National health insurance: about a fifth of residents")
    disability_share: float = rate(0.055, "Holders of a certificate among residents; higher with age")
    care_share_75: float = rate(0.32, "Care certification from 75; national 32 %")
    teenage_mother_age: int = rate(20, "A mother under 20 at the birth is a known risk")
    postpartum_positive: float = rate(0.09, "EPDS of 9 or more one month after the birth: 9–10 %")
    nursery_share: float = rate(0.78, "Children of 1 to 5 in a nursery")
    truancy_share_primary: float = rate(0.017, "30 days of absence or more: 1.7 % in primary school (2022)")
    truancy_share_junior: float = rate(0.06, "30 days of absence or more: 6.0 % in junior high school (2022)")
    young_carer_share: float = rate(0.05, "A child in 17–20 of junior high school looks after family; survey 2020")
    school_aid_share: float = rate(0.145, "School aid: 14–15 % of pupils")

    # --- what families use --------------------
    antenatal_records_years: float = rate(8, "Vouchers are kept for five years and more; assumed: eight in the system")
    antenatal_missed: float = rate(0.03, "14 subsidised checkups, about 13 used on average")
    antenatal_missed_careless: float = rate(0.3, "Assumed: under ten checkups where care is neglected")
    postnatal_care_years: float = rate(4, "Assumed: the city has run it since 2022")
    postnatal_care_share: float = rate(0.1, "Postnatal care: about 15 % of births nationwide in 2023")
    postnatal_care_share_positive: float = rate(0.4, "Assumed: offered to mothers with an EPDS of 9 or more")
    family_service_years: int = rate(4, "Years of records of such services")
    home_visit_share: float = rate(0.002, "Assumed: 養育支援訪問 without any known reason; more with one")
    family_centre_uses: float = rate(6, "Assumed: visits to a family centre per child under three and year")
    temporary_care_uses: float = rate(0.4, "Assumed: uses of temporary care per child under six and year")
    short_stay_uses: float = rate(0.002, "Assumed: short stays per child and year, without illness or neglect")
    sick_care_uses: float = rate(0.1, "Assumed: uses of care for sick children per child under nine and year")
    after_school_share: float = rate(0.35, "Clubs after school: about a quarter of pupils, more in the first years")
    after_school_left_early: float = rate(0.08, "Assumed: leave within their first year")
    medical_aid_years: float = rate(5, "Years of entitlements kept in the system")
    disabled_aid_share: float = rate(
        0.3, "Assumed: disabled children whose degree entitles to 重度心身障害者医療費助成"
    )
    support_centre_share: float = rate(0.22, "Support centres: about a tenth of truant pupils; higher in small cities")
    pupil_number_known: float = rate(0.6, "Assumed: pupils whose 宛名番号 the board of education has looked up")

    # --- the quality of the records --------------------
    school_not_in_register: float = rate(
        0.006, "Pupils who live in another municipality or are not registered here yet"
    )
    child_not_at_school: float = rate(0.006, "Children of school age whom the city's schools do not know")
    external_name_noise: float = rate(0.06, "Spelling differences in names of sources without 宛名番号")
    external_variant_share: float = rate(0.35, "Records whose writer used another variant of a kanji that has variants")
    external_birth_noise: float = rate(0.006, "Transposed digits in birth dates of such sources")
    external_birth_missing: float = rate(0.02, "Missing birth dates where they are not required")
    external_old_name: float = rate(0.5, "People who changed their name and stand under the older one")
    external_old_address: float = rate(0.12, "Records with the address before the last move")
    same_name_pairs: float = rate(12, "Planted pairs of strangers of one name and birth date in a city of 51,492")
    dirty_rate: float = rate(
        0.0004, "Rows of every extract that are damaged on purpose; truth/dirty_rows.csv lists them"
    )
    standard_register: bool = field(
        default=False,
        metadata={"reason": "The register in the layout of standardised systems, which cities have from 2026 on"},
    )
    slip_rate: float = rate(
        0.0005, "Values of a column that have a slip of a kind; one of each kind in every file of 50 rows"
    )

    @property
    def scale(self) -> float:
        """The size of this city against Sado's."""
        return self.residents / REFERENCE_RESIDENTS


# Years before the as-of date: residents and births. Census of Sado's area 1950–2020 (1980: 84,942; 2000: 72,173; 2010:
# 62,727; 2015: 57,255; 2020: 51,492), earlier years and births rounded from prefectural yearbooks.
POPULATION = {
    90: 106_000, 75: 118_000, 70: 125_000, 65: 119_000, 60: 113_000, 50: 92_500, 45: 87_500, 40: 84_942, 35: 81_939,
    30: 78_061, 25: 74_949, 20: 72_173, 15: 67_386, 10: 62_727, 5: 57_255, 0: 51_492,
}  # fmt: skip
BIRTHS = {
    90: 3_300, 80: 3_000, 70: 2_900, 65: 2_200, 60: 1_750, 50: 1_250, 45: 1_130, 40: 1_000, 35: 850, 30: 660, 25: 550,
    20: 440, 15: 390, 10: 320, 5: 255, 0: 205,
}  # fmt: skip
