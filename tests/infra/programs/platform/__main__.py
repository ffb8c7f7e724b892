from tests.infra.declared import declare

declare()
