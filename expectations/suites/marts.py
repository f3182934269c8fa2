"""Marts: grain and sums of what is published, and how far it has moved since the last as-of date."""

from __future__ import annotations

from expectations.suites.building import BLOCKS, LOOK, NOTE, expect, no_rows
from kodomo.contract import load_contracts

AS_OF = "(select as_of_on from raw.run_parameters)"
REQUIRED = ", ".join(
    f"('{contract.source_id}', '{column.name}')"
    for contract in load_contracts().values()
    for column in contract.columns
    if column.required and column.type not in {"date", "month"}
)
"""Of a required date it may be known that it is unknown (昭和25年不詳)."""

SUITES = {
    "marts.dim_child": [
        expect(
            "there_are_children",
            "対象の子どもがいる",
            LOOK,
            "ExpectTableRowCountToBeBetween",
            min_value=1,
        ),
        expect(
            "one_row_per_child",
            "子どもは一人1行である",
            BLOCKS,
            "ExpectColumnValuesToBeUnique",
            column="person_id",
        ),
        no_rows(
            "areas_are_known",
            "住民である子どもの地域が分かっている",
            LOOK,
            "select person_id from {batch} where area_code is null and not is_unborn",
        ),
    ],
    "marts.fct_data_item": [
        no_rows(
            "required_items_are_filled",
            "必須の項目は、取り込んだすべての行にある",
            BLOCKS,
            f"""
            select column_name from {{batch}}
            where (source_id, column_name) in ({REQUIRED}) and filled_count < row_count
            """,
        ),
        no_rows(
            "items_can_be_read",
            "どの項目も、型どおりに読めない値は1%以下である",
            LOOK,
            "select column_name from {batch} where unreadable_count > 0.01 * row_count",
        ),
    ],
    "marts.fct_fact_account": [
        no_rows(
            "every_row_is_used_asked_or_explained",
            "取り込んだどの行も、使われているか、確認を求めているか、使わない理由が分かっている",
            BLOCKS,
            "select source_id from {batch} where fate = 'vanished'",
        ),
    ],
    "marts.fct_observation": [
        no_rows(
            "observations_are_of_known_people",
            "観測の対象者は、人の一覧にある",
            BLOCKS,
            "select person_id from {batch} where person_id not in (select person_id from marts.dim_person)",
        ),
        no_rows(
            "observations_name_their_source_row",
            "観測には、もとの納品と行が記されている",
            BLOCKS,
            "select person_id from {batch} where delivery_id is null or line_number is null or observed_on is null",
        ),
    ],
    "marts.fct_risk_score": [
        expect(
            "one_score_per_child_and_difficulty",
            "評価は、基準日・モデル・困難・子どもごとに一つである",
            BLOCKS,
            "ExpectCompoundColumnsToBeUnique",
            column_list=["as_of_on", "model_version", "difficulty_type", "person_id"],
        ),
        no_rows(
            "every_child_has_every_score",
            "どの子どもにも、使用中のモデルの、その年齢を対象とするすべての評価がある",
            BLOCKS,
            f"""
            select children.person_id, models.model_version, models.difficulty_type
            from marts.dim_child as children
            cross join (
                select distinct tiers.model_version, tiers.difficulty_type
                from seeds.risk_tiers as tiers
                inner join seeds.risk_model_versions as versions on tiers.model_version = versions.model_version
                where versions.status in ('active', 'trial')
            ) as models
            anti join (select * from {{batch}} where as_of_on = {AS_OF}) as scores
                on
                    children.person_id = scores.person_id
                    and models.model_version = scores.model_version
                    and models.difficulty_type = scores.difficulty_type
            left join seeds.risk_targets as targets
                on
                    models.model_version = targets.model_version
                    and models.difficulty_type = targets.difficulty_type
            where
                targets.model_version is null
                or (
                    coalesce(children.age_months >= targets.age_from_months, targets.age_from_months is null)
                    and coalesce(children.age_months < targets.age_to_months, targets.age_to_months is null)
                )
            """,
        ),
        no_rows(
            "scores_are_the_sum_of_what_counts",
            "評価点は、数えられた項目の点の合計に等しい",
            BLOCKS,
            f"""
            select scores.person_id
            from {{batch}} as scores
            left join (
                select model_version, difficulty_type, person_id, sum(coefficient) as total
                from marts.fct_risk_contribution
                where is_counted and as_of_on = {AS_OF}
                group by all
            ) as sums
                on
                    scores.model_version = sums.model_version
                    and scores.difficulty_type = sums.difficulty_type
                    and scores.person_id = sums.person_id
            where scores.as_of_on = {AS_OF} and scores.score <> coalesce(sums.total, 0)
            """,
        ),
        no_rows(
            "tiers_are_of_the_definition",
            "区分は、モデルの定義にあるものである",
            BLOCKS,
            f"""
            select scores.person_id
            from {{batch}} as scores
            anti join seeds.risk_tiers as tiers
                on
                    scores.model_version = tiers.model_version
                    and scores.difficulty_type = tiers.difficulty_type
                    and scores.tier = tiers.tier
            where scores.as_of_on = {AS_OF}
            """,
        ),
        expect(
            "completeness_is_a_share",
            "データの充足率は0から1の間である",
            BLOCKS,
            "ExpectColumnValuesToBeBetween",
            column="completeness",
            min_value=0,
            max_value=1,
        ),
        no_rows(
            "few_tiers_have_changed",
            "前の基準日から区分が変わった子どもは、モデルごとに20%以下である",
            LOOK,
            f"""
            with dates as (
                select max(as_of_on) as last_on from {{batch}} where as_of_on < {AS_OF}
            )
            select now_scored.model_version, now_scored.difficulty_type
            from {{batch}} as now_scored
            inner join dates on now_scored.as_of_on = {AS_OF}
            inner join {{batch}} as last_scored
                on
                    dates.last_on = last_scored.as_of_on
                    and now_scored.model_version = last_scored.model_version
                    and now_scored.difficulty_type = last_scored.difficulty_type
                    and now_scored.person_id = last_scored.person_id
            group by all
            having avg(case when now_scored.tier <> last_scored.tier then 1 else 0 end) > 0.2
            """,
        ),
        no_rows(
            "the_number_of_children_is_steady",
            "前の基準日と比べた子どもの人数の増減は10%以内である",
            LOOK,
            f"""
            with counts as (
                select as_of_on, count(distinct person_id) as children from {{batch}} group by as_of_on
            ),
            last_count as (
                select children from counts where as_of_on < {AS_OF} order by as_of_on desc limit 1
            )
            select counts.as_of_on
            from counts
            cross join last_count
            where counts.as_of_on = {AS_OF} and abs(counts.children - last_count.children) > 0.1 * last_count.children
            """,
        ),
    ],
    "marts.fct_support_priority": [
        expect(
            "one_priority_per_child",
            "優先度は、基準日と子どもごとに一つである",
            BLOCKS,
            "ExpectCompoundColumnsToBeUnique",
            column_list=["as_of_on", "person_id"],
        ),
    ],
    "marts.fct_chain": [
        no_rows(
            "protected_people_are_in_nobody_elses_chain",
            "支援措置の対象者は、ほかの子どもの連鎖の経路に現れない",
            BLOCKS,
            f"""
            select chains.person_id
            from (
                select person_id, unnest(string_split(path, '>')) as step_id
                from {{batch}}
                where as_of_on = {AS_OF}
            ) as chains
            inner join intermediate.int_person__persons as persons on trim(chains.step_id) = persons.person_id
            where persons.is_under_support_measure and persons.person_id <> chains.person_id
            """,
        ),
    ],
    "marts.fct_link_decision": [
        no_rows(
            "links_are_decided",
            "教育委員会・児童相談所・社会福祉協議会の人の90%以上が、住民と結び付いている",
            NOTE,
            """
            select source_id from {batch}
            group by source_id
            having count(*) filter (where status = 'linked') < 0.9 * count(*)
            """,
        ),
    ],
}
