"""The merchant's desk: what was sold, what went back, and how it is set up.

`frame` what all its pages share: sections by role, the period, the sandbox · `overview` figures and charts ·
`payments` the list, one payment, refunds · `doers` who did it · `exports` CSV and XLSX ·
`notices` what servers were told · `disputes` · `stores` · `staff` · `record` who did what ·
`clients` machines, keys, the self-test · `charts` draws SVG · `words` says codes and events in the page's
language.

Roles: owners everything; managers no staff and no keys; accountants read and export; cashiers nothing.
"""
