"""What all pages of the people's doors share: their looks, their promises to the browser, who may see them.

`access` says who a page is for and hands the view its visitor · `sessions` how long a login lasts ·
`second_factor` who has one, and how a lost one goes ·
`headers` is the middleware that keeps every page's promises (content security policy, no cache) ·
`installing` a room as an app on the home screen · `preferences` language and theme ·
`zones` where a visitor's clock stands · `amounts` what people type · `wallets` their names ·
`places` where a list's page ends · `pictures` and the codes on them · `health` for balancers · `icons` the
drawings · `templatetags.comptoir` money, days and states in the page's language ·
`templates/components` and `static/components` the design system (see docs/concepts/pages.md).
"""
