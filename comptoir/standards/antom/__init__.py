"""The Antom (Alipay Global, AMS) open API, as a till speaks it. Pure: bytes in, values out.

`paths` which operation a request is for · `signing` what is signed, and how · `times` the clock
formats of the SDKs · `results` the result codes · `messages` every message, checked and typed.

Sources: the official SDKs (Python `global-open-sdk-python` 1.7.1, Go 1.3.5, PHP 1.5.5, Java 2.2.8,
.NET 2.2.5) and docs.antom.com, read in November 2026. Where they disagree, what the SDKs send wins.

Words: *client id* names a caller and its keys (`SANDBOX_` in front: its test twin); *result status*
S is done, F is refused for good, U is not known yet; *amounts* are minor units as digits in a string.

Called by the gateway (requests in, answers out) and by the notifier (notifications out).
"""
