-- depends_on: {{ ref('kanji_variants') }}
{{ staging_model('social_council_services') }}
