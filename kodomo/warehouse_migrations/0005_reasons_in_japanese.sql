-- The reason of a delivery as stewards read it, beside the one for machines.
alter table raw.deliveries add column if not exists reason_ja varchar;
