-- In which layout a file was written, and what the layouts of the contracts are called.
alter table raw.deliveries add column if not exists layout varchar;
create table if not exists raw.layouts (source_id varchar, layout varchar, title varchar);
