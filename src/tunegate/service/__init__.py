"""The service: one for every task, BentoML's around a `Predictor`, behind a thin ASGI layer of our own.

server      the BentoML service; read by BentoML from the Bento's folder, the one module that reads at import
asgi        routes, limits, token, one error shape: everything that stands between a stranger and the engine
questions   a request's body to records, or one error that says what is wrong and where
batcher     requests queue while the engine works; when it returns it takes all that fit
room        what a running service holds: predictor, batcher, version, card
openapi     the document that describes the service, and its one page
meters      Prometheus metrics with bounded labels
"""
