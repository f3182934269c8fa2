{{ staging_model('home_visit_support') }}
