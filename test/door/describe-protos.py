"""Says, in one form for both, what our messages are and what Envoy publishes under the same names.

Reads FileDescriptorProto messages from the files named as arguments; writes {"ours": ..., "published": ...} as JSON.
"""

import importlib
import json
import sys

from google.protobuf import descriptor_pb2

LABELS = {1: "optional", 2: "required", 3: "repeated"}
TYPES = {number: name for name, number in descriptor_pb2.FieldDescriptorProto.Type.items()}


def names_in(prefix, messages, enums):
    found = {f"{prefix}.{each.name}" for each in [*messages, *enums]}
    for each in messages:
        found |= names_in(f"{prefix}.{each.name}", each.nested_type, each.enum_type)
    return found


def full(name, scope, known):
    """A type's full name; loaders write it relative to where it is used, from the innermost scope outwards."""
    if not name or name.startswith("."):
        return name.lstrip(".")
    while scope:
        if f"{scope}.{name}" in known:
            return f"{scope}.{name}"
        scope = scope.rpartition(".")[0]
    return name


def field(message, scope, each, known):
    oneof = message.oneof_decl[each.oneof_index].name if each.HasField("oneof_index") else None
    type_name = full(each.type_name, scope, known)
    for entry in message.nested_type:
        # Entries of maps are named by the compiler: what counts is what they hold.
        if f"{scope}.{entry.name}" == type_name and entry.options.map_entry:
            held = [TYPES[f.type] + full(f.type_name, type_name, known) for f in entry.field]
            return [each.number, "map", "repeated", " to ".join(held), oneof]
    return [each.number, TYPES[each.type], LABELS[each.label], type_name, oneof]


def message(prefix, each, into, known):
    name = f"{prefix}.{each.name}"
    into["messages"][name] = {f.name: field(each, name, f, known) for f in each.field}
    for nested in each.nested_type:
        if not nested.options.map_entry:
            message(name, nested, into, known)
    for nested in each.enum_type:
        into["enums"][f"{name}.{nested.name}"] = {v.name: v.number for v in nested.value}


def described(files):
    into = {"messages": {}, "enums": {}, "methods": {}}
    known = set()
    for file in files:
        known |= names_in(file.package, file.message_type, file.enum_type)
    for file in files:
        for each in file.message_type:
            message(file.package, each, into, known)
        for each in file.enum_type:
            into["enums"][f"{file.package}.{each.name}"] = {v.name: v.number for v in each.value}
        for service in file.service:
            for m in service.method:
                types = [full(m.input_type, file.package, known), full(m.output_type, file.package, known)]
                shape = {"types": types, "streaming": [m.client_streaming, m.server_streaming]}
                into["methods"][f"{file.package}.{service.name}.{m.name}"] = shape
    return into


def published(name):
    module = importlib.import_module(name.removesuffix(".proto").replace("/", ".") + "_pb2")
    file = descriptor_pb2.FileDescriptorProto()
    module.DESCRIPTOR.CopyToProto(file)
    return file


ours = []
for path in sys.argv[1:]:
    with open(path, "rb") as source:
        ours.append(descriptor_pb2.FileDescriptorProto.FromString(source.read()))
names = [
    "envoy/service/auth/v3/external_auth.proto",
    "envoy/service/auth/v3/attribute_context.proto",
    "envoy/config/core/v3/base.proto",
    "envoy/config/core/v3/address.proto",
    "envoy/type/v3/http_status.proto",
    "google/rpc/status.proto",
]
json.dump({"ours": described(ours), "published": described([published(name) for name in names])}, sys.stdout)
