-- What moved a child since the last batch and since the last decision about it. Grain: one row per as-of date, child,
-- date compared with, kind of change and change_key. Other as-of dates stay: a run replaces the rows of its own only.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook='{{ replace_rows_of_this_date() }}'
    )
}}

with

children as (
    select person_id from {{ ref('dim_child') }}
),

known_ids as (
    select * from {{ ref('int_person__known_ids') }}
),

kinds as (
    select * from {{ ref('change_kinds') }}
),

active_versions as (
    select model_version from {{ ref('risk_model_versions') }}
    where status = 'active'
),

tiers as (
    select * from {{ ref('risk_tiers') }}
),

difficulties as (
    select * from {{ ref('difficulty_types') }}
),

observation_codes as (
    select * from {{ ref('observation_codes') }}
),

decisions as (
    select * from {{ ref('fct_decision') }}
),

facts as (
    select * from {{ ref('fct_change_fact') }}
),

fact_history as (
    select * from {{ ref('fct_change_fact_history') }}
    where as_of_on <= {{ as_of() }}
),

scores as (
    select scores.*
    from {{ ref('int_risk__scores') }} as scores
    semi join active_versions on scores.model_version = active_versions.model_version
),

score_history as (
    select * from {{ ref('fct_risk_score') }}
    where as_of_on < {{ as_of() }}
),

-- Under what ids a child was known: a pregnancy is the child that it became.
child_ids as (
    select
        known_ids.known_id,
        known_ids.person_id
    from known_ids
    semi join children on known_ids.person_id = children.person_id
),

batches as (
    select distinct as_of_on from score_history
),

last_batch as (
    select max(as_of_on) as as_of_on from batches
),

last_decisions as (
    select
        child_ids.person_id,
        -- What lay before the meeting; of an old decision, what there was on its day.
        coalesce(decisions.as_of_then, decisions.meeting_on, decisions.decided_on) as compared_on
    from decisions
    inner join child_ids on decisions.person_id = child_ids.known_id
    qualify
        row_number() over (
            partition by child_ids.person_id
            order by
                coalesce(decisions.meeting_on, decisions.decided_on) desc,
                decisions.entered_at desc,
                decisions.decision_id desc
        ) = 1
),

bases as (
    select
        children.person_id,
        last_batch.as_of_on as compared_on,
        true as is_since_batch,
        false as is_since_decision
    from children
    cross join last_batch
    union all
    select
        person_id,
        compared_on,
        false as is_since_batch,
        true as is_since_decision
    from last_decisions
    where compared_on < {{ as_of() }}
),

dates_compared as (
    select distinct compared_on from bases
),

-- The batch whose scores were those of the day.
scores_in_force as (
    select
        dates_compared.compared_on,
        max(batches.as_of_on) as scored_on
    from dates_compared
    inner join batches on dates_compared.compared_on >= batches.as_of_on
    group by dates_compared.compared_on
),

dated_bases as (
    select
        bases.person_id,
        bases.compared_on,
        scores_in_force.scored_on,
        bool_or(bases.is_since_batch) as is_since_batch,
        bool_or(bases.is_since_decision) as is_since_decision
    from bases
    inner join scores_in_force on bases.compared_on = scores_in_force.compared_on
    group by bases.person_id, bases.compared_on, scores_in_force.scored_on
),

earlier_scores as (
    select
        dated_bases.person_id,
        dated_bases.compared_on,
        score_history.model_version,
        score_history.difficulty_type,
        score_history.score,
        score_history.tier
    from dated_bases
    inner join child_ids on dated_bases.person_id = child_ids.person_id
    inner join score_history
        on child_ids.known_id = score_history.person_id and dated_bases.scored_on = score_history.as_of_on
    qualify
        row_number() over (
            partition by
                dated_bases.person_id,
                dated_bases.compared_on,
                score_history.model_version,
                score_history.difficulty_type
            order by score_history.score desc, score_history.person_id asc
        ) = 1
),

-- Who was no subject then is new as a whole, and has not changed.
subjects_then as (
    select dated_bases.*
    from dated_bases
    semi join earlier_scores
        on
            dated_bases.person_id = earlier_scores.person_id
            and dated_bases.compared_on = earlier_scores.compared_on
),

-- A version is compared with itself: a new definition moves scores, and no child.
versions_then as (
    select distinct
        earlier_scores.person_id,
        earlier_scores.compared_on,
        earlier_scores.model_version
    from earlier_scores
    semi join active_versions on earlier_scores.model_version = active_versions.model_version
),

types_compared as (
    select
        versions_then.person_id,
        versions_then.compared_on,
        versions_then.model_version,
        scores.difficulty_type
    from versions_then
    inner join scores
        on versions_then.person_id = scores.person_id and versions_then.model_version = scores.model_version
    union
    select
        versions_then.person_id,
        versions_then.compared_on,
        versions_then.model_version,
        earlier_scores.difficulty_type
    from versions_then
    inner join earlier_scores
        on
            versions_then.person_id = earlier_scores.person_id
            and versions_then.compared_on = earlier_scores.compared_on
            and versions_then.model_version = earlier_scores.model_version
),

lowest_ranks as (
    select
        model_version,
        difficulty_type,
        min(tier_rank) as tier_rank
    from tiers
    group by model_version, difficulty_type
),

-- A type that no longer or not yet concerns the child's age is as low as can be.
both_scores as (
    select
        types_compared.person_id,
        types_compared.compared_on,
        types_compared.difficulty_type,
        earlier_scores.score as score_before,
        scores.score as score_after,
        earlier_scores.tier as tier_before,
        scores.tier as tier_after,
        coalesce(tiers_before.tier_rank, lowest_ranks.tier_rank) as rank_before,
        coalesce(tiers_after.tier_rank, lowest_ranks.tier_rank) as rank_after,
        coalesce(tiers_before.label_ja, '対象外') as label_before,
        coalesce(tiers_after.label_ja, '対象外') as label_after
    from types_compared
    left join earlier_scores
        on
            types_compared.person_id = earlier_scores.person_id
            and types_compared.compared_on = earlier_scores.compared_on
            and types_compared.model_version = earlier_scores.model_version
            and types_compared.difficulty_type = earlier_scores.difficulty_type
    left join scores
        on
            types_compared.person_id = scores.person_id
            and types_compared.model_version = scores.model_version
            and types_compared.difficulty_type = scores.difficulty_type
    left join tiers as tiers_before
        on
            types_compared.model_version = tiers_before.model_version
            and types_compared.difficulty_type = tiers_before.difficulty_type
            and earlier_scores.tier = tiers_before.tier
    left join tiers as tiers_after
        on
            types_compared.model_version = tiers_after.model_version
            and types_compared.difficulty_type = tiers_after.difficulty_type
            and scores.tier = tiers_after.tier
    left join lowest_ranks
        on
            types_compared.model_version = lowest_ranks.model_version
            and types_compared.difficulty_type = lowest_ranks.difficulty_type
),

movements as (
    select
        person_id,
        compared_on,
        difficulty_type,
        'tier' as measure,
        rank_after - rank_before as movement,
        tier_before as from_value,
        tier_after as to_value,
        label_before as from_label,
        label_after as to_label
    from both_scores
    union all
    select
        person_id,
        compared_on,
        difficulty_type,
        'score' as measure,
        score_after - score_before as movement,
        cast(score_before as varchar) as from_value,
        cast(score_after as varchar) as to_value,
        rtrim(rtrim(cast(score_before as varchar), '0'), '.') || '点' as from_label,
        rtrim(rtrim(cast(score_after as varchar), '0'), '.') || '点' as to_label
    from both_scores
),

score_changes as (
    select
        movements.person_id,
        movements.compared_on,
        kinds.change_kind,
        movements.difficulty_type as change_key,
        movements.difficulty_type as subject,
        movements.from_value,
        movements.to_value,
        difficulties.label_ja as subject_label,
        movements.from_label,
        movements.to_label
    from movements
    inner join kinds
        on
            movements.measure = kinds.measure
            and if(kinds.direction = 'rise', movements.movement, -movements.movement) > kinds.step
    left join difficulties on movements.difficulty_type = difficulties.difficulty_type
),

first_known as (
    select
        child_ids.person_id,
        fact_history.change_kind,
        fact_history.fact_key,
        min(fact_history.as_of_on) as first_known_on
    from fact_history
    inner join child_ids on fact_history.person_id = child_ids.known_id
    group by child_ids.person_id, fact_history.change_kind, fact_history.fact_key
),

facts_kept as (
    select min(as_of_on) as since_on from fact_history
),

-- Files arrive late: what counts is that no batch knew the fact by then. Where no batch of that time kept its facts,
-- their own dates have to do.
fact_changes as (
    select
        subjects_then.person_id,
        subjects_then.compared_on,
        facts.change_kind,
        facts.fact_key as change_key,
        facts.subject,
        facts.text_value as to_value,
        facts.happened_on,
        coalesce(
            observation_codes.label_ja,
            case facts.subject
                when 'mother' then '母と別居'
                when 'father' then '父と別居'
                else {{ label_of('chain_type', 'facts.subject') }}
            end
        ) as subject_label,
        observation_codes.observation_code,
        facts.source_id,
        facts.delivery_id,
        facts.line_number
    from subjects_then
    cross join facts_kept
    inner join facts on subjects_then.person_id = facts.person_id
    inner join kinds on facts.change_kind = kinds.change_kind
    left join first_known
        on
            facts.person_id = first_known.person_id
            and facts.change_kind = first_known.change_kind
            and facts.fact_key = first_known.fact_key
    left join observation_codes on facts.subject = observation_codes.observation_code
    where
        (
            kinds.within_months is null
            or facts.happened_on > subjects_then.compared_on - to_months(kinds.within_months)
        )
        and case
            when facts_kept.since_on <= subjects_then.compared_on
                then coalesce(first_known.first_known_on > subjects_then.compared_on, true)
            else facts.happened_on > subjects_then.compared_on
        end
),

changes as (
    select * from score_changes
    union all by name
    select * from fact_changes
)

select
    {{ as_of() }} as as_of_on,
    changes.person_id,
    changes.change_kind,
    changes.subject,
    changes.from_value,
    changes.to_value,
    kinds.why_ja as why,
    changes.compared_on,
    dated_bases.is_since_batch,
    dated_bases.is_since_decision,
    kinds.direction,
    changes.happened_on,
    kinds.label_ja as kind_label,
    changes.subject_label,
    changes.from_label,
    changes.to_label,
    kinds.comes_back_after,
    kinds.sort_order,
    changes.change_key,
    changes.observation_code,
    changes.source_id,
    changes.delivery_id,
    changes.line_number
from changes
inner join kinds on changes.change_kind = kinds.change_kind
inner join dated_bases
    on changes.person_id = dated_bases.person_id and changes.compared_on = dated_bases.compared_on
