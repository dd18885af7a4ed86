"""The payment engine: it groups commits.

Commands wait in a bounded queue while a batch commits; the next batch takes all that wait. One batch
is one database transaction: take the books, load what the commands touch, decide (pure), post, store.

`queue` the queue and the loop · `batch` one batch as a flow of statements · `world` what is loaded ·
`risk` what the rules say · `renewal` what a subscription asks for · `decision` what is decided ·
`store` what is written · `desk` what is kept in memory.
"""
