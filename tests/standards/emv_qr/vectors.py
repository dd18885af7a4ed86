"""Published payloads, with what they must be read as. Each names where it was published (November 2026)."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from comptoir.standards.emv_qr import DataObject, MerchantCode, OtherLanguage, Tip, TipMode, template


class Vector(NamedTuple):
    """`strict` is the object for which the strict profile refuses it, None if it does not."""

    source: str
    payload: str
    code: MerchantCode
    strict: str | None


def _promptpay(value: str, **more: object) -> MerchantCode:
    account = template("29", [DataObject("00", "A000000677010111"), DataObject("01", value)])
    return MerchantCode(accounts=(account,), currency="THB", country="TH", **more)  # type: ignore[arg-type]


VECTORS = (
    Vector(
        "EMVCo MPM specification, sample",
        "00020101021229300012D156000000000510A93FO3230Q31280012D15600000001030812345678520441115802CN5914BEST"
        " TRANSPORT6007BEIJING64200002ZH0104最佳运输0202北京540523.7253031565502016233030412340603***0708"
        "A60086670902ME91320016A0112233449988770708123456786304A13A",
        MerchantCode(
            accounts=(
                DataObject("29", "0012D156000000000510A93FO3230Q"),
                DataObject("31", "0012D15600000001030812345678"),
            ),
            currency="CNY",
            country="CN",
            mcc="4111",
            name="BEST TRANSPORT",
            city="BEIJING",
            is_dynamic=True,
            amount=Decimal("23.72"),
            tip=Tip(TipMode.PROMPT),
            additional=(
                DataObject("03", "1234"),
                DataObject("06", "***"),
                DataObject("07", "A6008667"),
                DataObject("09", "ME"),
            ),
            other_language=OtherLanguage("ZH", "最佳运输", "北京"),
            others=(DataObject("91", "0016A011223344998877070812345678"),),
        ),
        None,
    ),
    Vector(
        "README of mercari/go-emv-code: an amount that the yen does not have",
        "0002010102121313JCB12345678900416MASTER12345678905204531153033925407999.1235802JP5906DONGRI6005TOKYO"
        "62240104hoge0504fuga0704piyo6304C343",
        MerchantCode(
            accounts=(DataObject("13", "JCB1234567890"), DataObject("04", "MASTER1234567890")),
            currency="JPY",
            country="JP",
            mcc="5311",
            name="DONGRI",
            city="TOKYO",
            is_dynamic=True,
            amount=Decimal("999.123"),
            additional=(DataObject("01", "hoge"), DataObject("05", "fuga"), DataObject("07", "piyo")),
        ),
        "54",
    ),
    Vector(
        "PromptPay, a public test: neither category nor name nor city",
        "00020101021129370016A000000677010111011300668012345675802TH530376463046197",
        _promptpay("0066801234567", is_dynamic=False),
        "52",
    ),
    Vector(
        "PromptPay, another number",
        "00020101021129370016A000000677010111011300668123456785802TH530376463045D82",
        _promptpay("0066812345678", is_dynamic=False),
        "52",
    ),
    Vector(
        "PromptPay with an amount",
        "00020101021229370016A000000677010111011300660000000005802TH530376454044.226304E469",
        _promptpay("0066000000000", is_dynamic=True, amount=Decimal("4.22")),
        "52",
    ),
    Vector(
        "Banco Central do Brasil, Pix manual",
        "00020126580014br.gov.bcb.pix0136123e4567-e12b-12d1-a456-4266554400005204000053039865802BR5913Fulano "
        "de Tal6008BRASILIA62070503***63041D3D",
        MerchantCode(
            accounts=(DataObject("26", "0014br.gov.bcb.pix0136123e4567-e12b-12d1-a456-426655440000"),),
            currency="BRL",
            country="BR",
            mcc="0000",
            name="Fulano de Tal",
            city="BRASILIA",
            additional=(DataObject("05", "***"),),
        ),
        None,
    ),
    Vector(
        "Mastercard QR sample",
        "000201010211057704736a2f41a3-c54c-fce8-32d2-0324e1c32e22*3440e5bf-81ca-4c5f-a1b2-cf989f09a039520450245"
        "30384054031005802US5913Test Merchant6008New York62080304123463046F6D",
        MerchantCode(
            accounts=(
                DataObject(
                    "05",
                    "04736a2f41a3-c54c-fce8-32d2-0324e1c32e22*3440e5bf-81ca-4c5f-a1b2-cf989f09a039",
                ),
            ),
            currency="USD",
            country="US",
            mcc="5024",
            name="Test Merchant",
            city="New York",
            is_dynamic=False,
            amount=Decimal("100"),
            additional=(DataObject("03", "1234"),),
        ),
        None,
    ),
)
