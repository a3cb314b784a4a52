// SPDX-License-Identifier: Apache-2.0

import ApusProtobuf

/// Which messages contain themselves through singular fields: such fields are kept on the heap.
struct RecursiveFields {
    private var reachable: [String: Set<String>] = [:]
    private var required: [String: Set<String>] = [:]

    init(_ file: FileDescriptorProto, _ index: TypeIndex) {
        var edges: [String: Set<String>] = [:]
        let scope = file.package.isEmpty ? "" : ".\(file.package)"
        for message in file.messageType { collect(message, scope, file.name, index, &edges) }
        for name in edges.keys { reachable[name] = Self.reach(from: name, edges) }
        required = Dictionary(uniqueKeysWithValues: required.keys.map { ($0, Self.reach(from: $0, required)) })
    }

    /// Whether a message of type `message` has to keep a field of type `type` on the heap.
    func isRecursive(_ message: String, _ type: String) -> Bool {
        type == message || reachable[type]?.contains(message) == true
    }

    /// Whether a message requires one of its own type: there can be none.
    func requiresItself(_ message: String) -> Bool { required[message]?.contains(message) == true }

    private mutating func collect(
        _ message: DescriptorProto, _ scope: String, _ file: String, _ index: TypeIndex,
        _ edges: inout [String: Set<String>]
    ) {
        let name = "\(scope).\(message.name)"
        let held = message.field.filter { $0.isMessage && !$0.isRepeated }
        edges[name] = Set(held.map(\.typeName))
        let requires = held.filter { $0.isRequired(index.features(of: $0, in: String(name.dropFirst()), file)) }
        required[name] = Set(requires.map(\.typeName))
        for nested in message.nestedType { collect(nested, name, file, index, &edges) }
    }

    private static func reach(from name: String, _ edges: [String: Set<String>]) -> Set<String> {
        var found: Set<String> = []
        var pending = Array(edges[name] ?? [])
        while let next = pending.popLast() {
            if found.insert(next).inserted { pending += edges[next] ?? [] }
        }
        return found
    }
}
