{{ staging_model('childcare_support_uses') }}
