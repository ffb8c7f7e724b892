"""Values on the wire: unknown and secret ones keep what they are, and no secret is readable when it is sealed."""

from hypothesis import given, settings
from hypothesis import strategies as st

from infra.azure import wire
from infra.azure.schema import UNKNOWN

LEAVES = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=5) | st.just(UNKNOWN)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(min_size=1, max_size=4), VALUES, max_size=4)


@settings(max_examples=40)
@given(OBJECTS)
def test_values_come_back_as_they_were_sent(values):
    assert wire.read(wire.write(values)) == values


@settings(max_examples=40)
@given(OBJECTS)
def test_secrets_are_read_like_any_other_value_and_known_as_secrets(values):
    struct = wire.write(values, secrets=values.keys())
    assert wire.read(struct) == values
    assert wire.secret_keys(struct) == values.keys()


def test_a_secret_inside_a_list_makes_its_key_a_secret():
    struct = wire.write({"plain": [{"a": "b"}]})
    secret = wire.write({"value": "canary"}, secrets=["value"])
    struct.fields["deep"].list_value.values.add().struct_value.CopyFrom(secret)
    assert wire.secret_keys(struct) == {"deep"}
    assert wire.read(struct)["deep"] == [{"value": "canary"}]


@settings(max_examples=40)
@given(st.text(min_size=3))
def test_a_sealed_secret_is_a_digest_of_every_text_in_it(text):
    sealed = wire.read(wire.write({"key": {"a": [text, 7, UNKNOWN]}, "open": text}, secrets=["key"]), sealed=True)
    assert sealed["key"]["a"][0].startswith(wire.SEALED)
    assert sealed["key"]["a"][1:] == [7, UNKNOWN]
    assert sealed["key"]["a"][0] == wire.seal(text) != text
    assert sealed["open"] == text


def test_an_output_without_a_value_is_unknown():
    struct = wire.write({"id": {wire.SIGNATURE: wire.OUTPUT}, "name": {wire.SIGNATURE: wire.OUTPUT, "value": "n"}})
    assert wire.read(struct) == {"id": UNKNOWN, "name": "n"}


def test_a_value_of_another_kind_is_what_is_in_it():
    struct = wire.write({"asset": {wire.SIGNATURE: "c44067f5952c0a294b673a41bacd8c17", "text": "t"}})
    assert wire.read(struct) == {"asset": {"text": "t"}}
