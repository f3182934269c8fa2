-- depends_on: {{ ref('kanji_variants') }}
{{ staging_model('guidance_centre_cases') }}
