"""What the pages say after something was sent."""

from __future__ import annotations

SAVED_JA = "保存しました。次の一括処理で反映されます。"
SAVED_NOW_JA = "保存しました。"
TWICE_JA = "この入力はすでに保存されています。"
DELETED_JA = "ほかの職員がこの記録を削除しました。"
NO_SCHOOL_JA = "この子どもは学齢簿と結び付いていないため、学校の記録を入れられません。突合の確認を依頼してください。"
PROTECTED_DOCUMENT_JA = "支援措置の対象者の住まいが分かるおそれがあるため、この文書は支援措置を扱う職員だけが作れます。"
PROTECTED_READER_JA = "支援措置の対象の世帯です。この文書は、本人と、支援措置を受けている人にだけ渡せます。"
OTHER_CHANGED_JA = (
    "あなたが開いたあとで、ほかの職員がこの記録を変更しました。下の「いまの内容」を確かめ、"
    "必要なところを直してもう一度保存してください。"
)
WAITING_JA = (
    "ほかの印刷が終わるのを待っています。順番は {place} 番目です。"
    "このページは5秒ごとに確かめます。変わらないときは、もう一度「印刷」を押してください。順番はそのままです。"
)
WAITING_PAGE = (
    '<!doctype html><html lang="ja"><head><meta charset="utf-8"><title>印刷の順番待ち</title></head>'
    '<body style="font-family: sans-serif; margin: 20vh auto; max-width: 32em; text-align: center">'
    '<h1 style="font-size: 1.4em">印刷の順番待ち</h1><p>{text}</p></body></html>'
)
EFFECTS_JA = {
    "days_to_support": "把握から支援までの日数",
    "decision_by_tier": "段階ごとの会議の決定",
    "disagreement_by_item": "項目ごとの不同意の割合",
    "item_named_in_disagreement": "不同意の理由に挙がった項目",
    "tier_fell_after_support": "支援の前後で段階が下がった割合",
}
