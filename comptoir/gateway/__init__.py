"""The machines' door: the Antom-compatible API, signed in and signed out.

Every request to any path but ``/healthz`` and ``/readyz`` gets HTTP 200 and a signed JSON body whose
`result` says how it went: that is the only answer every official SDK accepts, also of an error, a throttle
or a path that does not exist. Nothing in a body is believed, or even parsed, before its signature verifies,
or its API key is found to be one.

What upstreams tell us is the exception: signed in, and merely acknowledged.

`app` wires · `door` receives, checks and answers · `throttle` how often one may ask · `signer` signs ·
`clients` and `api_keys` remember who may speak for a few seconds · `operations` one module per operation ·
`ears` hears upstreams · `results` the house's codes on the wire.
"""
