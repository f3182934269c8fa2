{{ staging_model('marriages') }}
