-- dbt fills a seed that is there with the columns of its file.
alter table if exists seeds.support_priority_rules add column if not exists model_version varchar;
alter table if exists seeds.support_rules add column if not exists model_version varchar;
