// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The file `apus.json` beside a target's .proto files. Every entry may be left out.
struct ProtocConfiguration: Decodable {
    static let fileName = "apus.json"

    /// The path of protoc. Without it: the environment's PROTOC_PATH, then PATH.
    var protoc: String?
    /// Folders that imports are looked up in, relative to the target's folder; the first that contains a file names it.
    var importPaths: [String]?
    /// `public`, `package` or `internal`.
    var visibility: String?
    /// Whether clients are generated.
    var client: Bool?
    /// Whether handlers for servers are generated.
    var server: Bool?
    /// Whose messages the stubs carry: `apus`, or `swift-protobuf` for stubs alone.
    var messages: String?
    /// The modules that generated code imports; `Apus` without it.
    var imports: [String]?
    /// The modules with the code of .proto files that other targets generate, by the files' paths.
    var modules: [String: String]?
    /// Where the command plugin puts generated code, relative to the target's folder; `Generated` without it.
    var output: String?

    /// What stands in the file; nothing if there is none.
    static func read(from folder: URL) throws -> ProtocConfiguration {
        let file = folder.appending(path: fileName)
        guard let data = try? Data(contentsOf: file) else { return ProtocConfiguration() }
        do {
            return try JSONDecoder().decode(ProtocConfiguration.self, from: data)
        } catch {
            throw ProtocFailure("\(file.path): \(Self.reason(error))")
        }
    }

    /// The generator's options, as protoc hands them over.
    var options: String {
        var options = ["file_naming=underscores"]
        if let visibility { options.append("visibility=\(visibility)") }
        if let client { options.append("client=\(client)") }
        if let server { options.append("server=\(server)") }
        if let messages { options.append("messages=\(messages)") }
        if let imports { options.append("import=\(imports.isEmpty ? "none" : imports.joined(separator: "+"))") }
        options += (modules ?? [:]).sorted { $0.key < $1.key }.map { "M\($0.key)=\($0.value)" }
        return options.joined(separator: ",")
    }

    private static func reason(_ error: any Error) -> String {
        guard let error = error as? DecodingError else { return "\(error)" }
        switch error {
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context):
            return context.codingPath.map(\.stringValue).joined(separator: ".") + ": " + context.debugDescription
        case .dataCorrupted: return "this is not JSON"
        @unknown default: return "\(error)"
        }
    }
}

/// What went wrong, in one line.
struct ProtocFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
