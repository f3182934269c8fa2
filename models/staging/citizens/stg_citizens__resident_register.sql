-- depends_on: {{ ref('kanji_variants') }}
{{ staging_model('resident_register') }}
