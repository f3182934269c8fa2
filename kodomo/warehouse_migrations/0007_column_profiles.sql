-- What the columns of each delivery hold, as counts and aggregates; no value of a person. ``item``: the code, the group or
-- the part of the dates that a measure is of; empty where it is of the column.
create table raw.column_profiles (
    delivery_id varchar not null, source_id varchar not null, column_name varchar not null, measure varchar not null,
    item varchar not null, number double not null, row_count bigint not null
);
-- In which columns a delivery differs from those before it by more than they did among themselves.
create table raw.delivery_findings (
    delivery_id varchar not null, source_id varchar not null, column_name varchar not null, measure varchar not null,
    item varchar not null, deviation double not null, reason varchar not null, reason_ja varchar not null
);
-- Findings that a steward has accepted: up to this deviation they are not raised again for the source.
create table raw.finding_acceptances (
    source_id varchar not null, column_name varchar not null, measure varchar not null, item varchar not null,
    deviation double not null, delivery_id varchar not null, accepted_by varchar not null, reason varchar not null,
    accepted_at timestamp not null
);
