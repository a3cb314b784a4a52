// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusProtobuf

/// The descriptors that generated files carry for server reflection: as protoc sent them, without comments.
struct EmbeddedDescriptors {
    private let files: [String: FileDescriptorProto]

    init(_ files: [FileDescriptorProto]) {
        self.files = Dictionary(files.map { ($0.name, $0) }) { first, _ in first }
    }

    /// A file with all that it imports, as a serialized `google.protobuf.FileDescriptorSet` in base64.
    ///
    /// - Throws: an `RPCError` for a descriptor that cannot be serialized.
    func base64(of name: String) throws -> String {
        var set = FileDescriptorSet()
        var seen: Set<String> = []
        add(name, to: &set, &seen)
        return String(decoding: Base64.encode(try set.serializedBytes()), as: UTF8.self)
    }

    // Imports first, as protoc orders them. Files do not import each other in circles: protoc refuses that.
    private func add(_ name: String, to set: inout FileDescriptorSet, _ seen: inout Set<String>) {
        guard seen.insert(name).inserted, var file = files[name] else { return }
        for dependency in file.dependency { add(dependency, to: &set, &seen) }
        file.sourceCodeInfo = nil
        set.file.append(file)
    }

    /// The lines of a multi-line literal without line breaks in it.
    static func literal(_ text: String, width: Int = 112) -> [String] {
        var lines: [String] = []
        var rest = text[...]
        while rest.count > width {
            lines.append(rest.prefix(width) + "\\")
            rest = rest.dropFirst(width)
        }
        return lines + [String(rest)]
    }
}
