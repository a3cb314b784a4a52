// SPDX-License-Identifier: Apache-2.0

/// Which messages contain themselves through singular fields: such fields are kept on the heap.
struct RecursiveFields {
    private var reachable: [String: Set<String>] = [:]

    init(_ file: FileDescriptorProto) {
        var edges: [String: Set<String>] = [:]
        let scope = file.package.isEmpty ? "" : ".\(file.package)"
        for message in file.messageType { Self.collect(message, scope, &edges) }
        for name in edges.keys { reachable[name] = Self.reach(from: name, edges) }
    }

    /// Whether a message of type `message` has to keep a field of type `type` on the heap.
    func isRecursive(_ message: String, _ type: String) -> Bool {
        type == message || reachable[type]?.contains(message) == true
    }

    private static func collect(_ message: DescriptorProto, _ scope: String, _ edges: inout [String: Set<String>]) {
        let name = "\(scope).\(message.name)"
        edges[name] = Set(message.field.filter { $0.type == 11 && !$0.isRepeated }.map(\.typeName))
        for nested in message.nestedType { collect(nested, name, &edges) }
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
