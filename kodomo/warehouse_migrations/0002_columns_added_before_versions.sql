-- Columns that came before the schema had a version: homes of that time have them or not.
alter table raw.rejects add column if not exists resolved_by_delivery_id varchar;
alter table raw.rejects add column if not exists resolved_line_number bigint;
alter table raw.rejects add column if not exists resolved_at timestamp;
alter table raw.quality_results add column if not exists label_ja varchar;
alter table raw.decisions add column if not exists disagreement_item varchar;
