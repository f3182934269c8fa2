"""Raw: the delivery contract. Every row is accounted for, and what stewards must know of a delivery."""

from __future__ import annotations

from expectations.suites.building import BLOCKS, LOOK, NOTE, expect, no_rows
from kodomo.contract import load_contracts

# What was deleted at the request of the person concerned was loaded too, and is listed line by line.
LOADED_ROWS = "\nunion all\n".join(
    f"""select delivery_id, count(*) as row_count
    from (
        select delivery_id from raw.{source_id}
        union all
        select delivery_id from raw.person_deletions where source_id = '{source_id}'
    )
    group by delivery_id"""
    for source_id in load_contracts()
)
THIS_RUN = "run_id = (select run_id from raw.run_parameters)"

SUITES = {
    "raw.deliveries": [
        no_rows(
            "rows_read_are_loaded_or_rejected",
            "読み込んだ件数は、取込件数と不受理件数の合計に等しい",
            BLOCKS,
            "select delivery_id from {batch} where status = 'loaded' and rows_read <> rows_loaded + rows_rejected",
        ),
        no_rows(
            "loaded_rows_are_in_the_warehouse",
            "今回取り込んだ納品の行が、件数どおりデータベースにある",
            BLOCKS,
            f"""
            select deliveries.delivery_id
            from {{batch}} as deliveries
            left join ({LOADED_ROWS}) as loaded_rows on deliveries.delivery_id = loaded_rows.delivery_id
            where
                deliveries.status = 'loaded'
                and {THIS_RUN}
                and deliveries.rows_loaded <> coalesce(loaded_rows.row_count, 0)
            """,
        ),
        no_rows(
            "rejected_rows_are_listed",
            "今回の納品の不受理の行が、件数どおり一覧にある",
            BLOCKS,
            f"""
            select deliveries.delivery_id
            from {{batch}} as deliveries
            left join (
                select delivery_id, count(*) as row_count from raw.rejects group by delivery_id
            ) as rejected_rows on deliveries.delivery_id = rejected_rows.delivery_id
            where
                deliveries.status = 'loaded'
                and {THIS_RUN}
                and deliveries.rows_rejected <> coalesce(rejected_rows.row_count, 0)
            """,
        ),
        no_rows(
            "few_rows_are_rejected",
            "今回の納品で不受理は5%以下である",
            LOOK,
            f"""
            select delivery_id from {{batch}}
            where status = 'loaded' and {THIS_RUN} and rows_rejected > 0.05 * rows_read
            """,
        ),
        no_rows(
            "nothing_is_refused_or_held",
            "今回受取拒否・保留になった納品はない",
            LOOK,
            f"select delivery_id from {{batch}} where status in ('refused', 'held') and {THIS_RUN}",
        ),
        no_rows(
            "delivered_before_the_as_of_date",
            "納品日は基準日より後ではない",
            NOTE,
            "select delivery_id from {batch} where delivered_on > (select as_of_on from raw.run_parameters)",
        ),
    ],
    "raw.data_items": [
        expect(
            "status_is_known",
            "データ項目台帳の状態は、承認・保留・禁止のいずれかである",
            BLOCKS,
            "ExpectColumnValuesToBeInSet",
            column="status",
            value_set=["承認", "保留", "禁止"],
        ),
        no_rows(
            "every_source_has_a_delivery",
            "使うことが認められたデータは、すべて納品されている",
            NOTE,
            """
            select distinct source_id from {batch}
            where status = '承認' and source_id not in (select source_id from raw.deliveries where status = 'loaded')
            """,
        ),
    ],
    "raw.value_issues": [
        no_rows(
            "values_can_be_read",
            "今回の納品に、読み取れない値はない",
            LOOK,
            f"""
            select value_issues.delivery_id, value_issues.line_number
            from {{batch}} as value_issues
            inner join raw.deliveries as deliveries on value_issues.delivery_id = deliveries.delivery_id
            where {THIS_RUN} and value_issues.issue_code <> 'interpreted_date'
            """,
        ),
    ],
}
