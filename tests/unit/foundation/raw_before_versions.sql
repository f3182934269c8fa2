-- Schema raw as the first homes had it: no version, and none of the columns that came later.
create schema raw;
create table raw.deliveries (
    delivery_id varchar primary key, source_id varchar not null, file_name varchar not null, sha256 varchar not null,
    delivered_on date not null, kind varchar not null, encoding varchar, rows_read bigint not null,
    rows_loaded bigint not null, rows_rejected bigint not null, status varchar not null, reason varchar,
    received_at timestamp not null, sequence integer not null, contract_fingerprint varchar, run_id varchar
);
create table raw.delivery_events (
    delivery_id varchar not null, status varchar not null, decided_by varchar, reason varchar,
    decided_at timestamp not null
);
create table raw.rejects (
    delivery_id varchar not null, source_id varchar not null, line_number bigint not null,
    reason_code varchar not null, column_name varchar, record varchar, record_bytes blob
);
create table raw.value_issues (
    delivery_id varchar, source_id varchar, line_number bigint, column_name varchar, issue_code varchar
);
create table raw.quality_results (
    run_id varchar, layer varchar, table_name varchar, expectation varchar, severity varchar, status varchar,
    unexpected_count bigint, element_count bigint, checked_at timestamp
);
create table raw.decisions (
    decision_id varchar, person_id varchar, meeting_on date, decided_on date, decision varchar,
    agrees_with_tier boolean, disagreement_reason varchar, support_content varchar, lead_agency varchar,
    review_on date, decided_by varchar, entered_at timestamp
);
create table raw.newborn_visits (delivery_id varchar, line_number bigint, child_atena_no varchar);

insert into raw.deliveries values (
    '20260401-newborn_visits-01', 'newborn_visits', 'newborn_visits_20260401.csv', 'ab', '2026-04-01', 'full', 'utf-8',
    2, 1, 1, 'loaded', null, '2026-04-01 00:00:00', 1, 'f', 'r0'
);
insert into raw.rejects values ('20260401-newborn_visits-01', 'newborn_visits', 3, 'missing_key', 'child_atena_no', 'x', 'x');
insert into raw.newborn_visits values ('20260401-newborn_visits-01', 2, '1');
