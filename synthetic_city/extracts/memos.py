"""Free text of case workers: with commas, line breaks, circled digits and half-width kana."""

MEMOS = (
    "", "", "", "家庭訪問を実施。", "保護者より電話相談。", "園から連絡あり。関係機関で情報共有。",
    '"きょうだいの様子も確認,継続して見守る。"', '"夜間の泣き声あり。\n翌日訪問し、けがのないことを確認。"',
    "①家庭状況の確認②学校との連携", "養育に疲れの訴え。ｼｮｰﾄｽﾃｲの案内。",
)  # fmt: skip
