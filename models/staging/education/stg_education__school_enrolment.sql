-- depends_on: {{ ref('kanji_variants') }}
{{ staging_model('school_enrolment') }}
