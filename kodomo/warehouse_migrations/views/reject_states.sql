-- What has become of each reject: `open` until its row is mended, superseded or its delivery does not count.
create or replace view raw.reject_states as
with ranked as (
    select *, row_number() over (partition by source_id order by delivered_on, sequence) as delivery_rank
    from raw.deliveries
),
last_full as (
    select source_id, max(delivery_rank) as full_rank
    from ranked
    where kind = 'full' and status = 'loaded'
    group by source_id
)
select
    rejects.* replace (
        resolved.delivery_id as resolved_by_delivery_id,
        case when resolved.delivery_id is not null then rejects.resolved_line_number end as resolved_line_number,
        case when resolved.delivery_id is not null then rejects.resolved_at end as resolved_at
    ),
    case
        when ranked.status <> 'loaded' then ranked.status
        when resolved.delivery_id is not null then 'mended'
        when ranked.delivery_rank < last_full.full_rank then 'superseded'
        else 'open'
    end as state
from raw.rejects as rejects
inner join ranked on rejects.delivery_id = ranked.delivery_id
left join last_full on ranked.source_id = last_full.source_id
left join raw.deliveries as resolved
    on rejects.resolved_by_delivery_id = resolved.delivery_id and resolved.status = 'loaded';
