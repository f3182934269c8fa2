{% macro current_rows(source_id) -%}
    {#- The delivered rows that make a source's present state: those of its last full delivery, of the
        deltas after it, and of what people have entered by hand, which a full delivery does not know of.
        delivery_rank counts deliveries in their order; corrections by key are for the staging model, where keys have
        one spelling. -#}
    select
        delivered.*,
        current_deliveries.delivery_rank,
        current_deliveries.kind as delivery_kind
    from {{ source('raw', source_id) }} as delivered
    inner join (
        select
            delivery_id,
            delivery_rank,
            kind
        from (
            select
                delivery_id,
                kind,
                row_number() over (order by delivered_on, sequence) as delivery_rank
            from {{ source('run', 'deliveries') }}
            where source_id = '{{ source_id }}' and status = 'loaded'
        ) as loaded_deliveries
        qualify
            kind = 'entry'
            or delivery_rank >= coalesce(max(delivery_rank) filter (where kind = 'full') over (), 0)
    ) as current_deliveries
        on delivered.delivery_id = current_deliveries.delivery_id
{%- endmacro %}
