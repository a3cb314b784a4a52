// SPDX-License-Identifier: Apache-2.0

import Foundation

/// One run of protoc for all .proto files of a target.
struct ProtocInvocation {
    let protoc: URL
    let arguments: [String]
    let inputs: [URL]
    let outputs: [URL]

    /// - Parameters:
    ///   - files: the .proto files of the target.
    ///   - folder: the target's folder.
    ///   - generator: protoc-gen-apus.
    ///   - output: where the Swift files go.
    init(_ files: [URL], in folder: URL, _ configuration: ProtocConfiguration, generator: URL, output: URL) throws {
        protoc = try Self.protoc(configuration, folder)
        let roots = (configuration.importPaths ?? ["."]).map { folder.appending(path: $0).standardizedFileURL }
        let names = try files.map { try Self.name($0, roots) }
        arguments =
            roots.flatMap { ["-I", $0.path] } + [
                "--plugin=protoc-gen-apus=\(generator.path)", "--apus_out=\(configuration.options):\(output.path)",
            ] + names
        let configurationFile = folder.appending(path: ProtocConfiguration.fileName)
        let hasConfiguration = FileManager.default.fileExists(atPath: configurationFile.path)
        inputs = Self.protos(in: roots, besides: files) + [generator] + (hasConfiguration ? [configurationFile] : [])
        outputs = names.map { name in
            let stem = name.hasSuffix(".proto") ? String(name.dropLast(6)) : name
            return output.appending(path: stem.replacingOccurrences(of: "/", with: "_") + ".apus.swift")
        }
    }

    /// The path of a file below the first folder that contains it.
    private static func name(_ file: URL, _ roots: [URL]) throws -> String {
        let path = file.standardizedFileURL.path
        for root in roots where path.hasPrefix(root.path + "/") { return String(path.dropFirst(root.path.count + 1)) }
        throw ProtocFailure("\(path) is in none of the importPaths of \(ProtocConfiguration.fileName)")
    }

    /// Imported files are inputs too: a change in one generates anew.
    private static func protos(in roots: [URL], besides files: [URL]) -> [URL] {
        var found = Set(files.map(\.standardizedFileURL))
        for root in roots {
            let below = FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil)
            for case let file as URL in below ?? .init() where file.pathExtension == "proto" {
                found.insert(file.standardizedFileURL)
            }
        }
        return found.sorted { $0.path < $1.path }
    }

    private static func protoc(_ configuration: ProtocConfiguration, _ folder: URL) throws -> URL {
        let environment = ProcessInfo.processInfo.environment
        if let path = configuration.protoc {
            let file = path.hasPrefix("/") ? URL(filePath: path) : folder.appending(path: path).standardizedFileURL
            return try checked(file, "\(ProtocConfiguration.fileName) names as protoc")
        }
        if let path = environment["PROTOC_PATH"], !path.isEmpty {
            return try checked(URL(filePath: path), "PROTOC_PATH names")
        }
        for folder in (environment["PATH"] ?? "").split(separator: ":") {
            let file = URL(filePath: String(folder)).appending(path: "protoc")
            if FileManager.default.isExecutableFile(atPath: file.path) { return file }
        }
        throw ProtocFailure(
            "protoc is missing: install it with 'apt-get install protobuf-compiler' or 'brew install protobuf', or name "
                + "it in PROTOC_PATH or in \(ProtocConfiguration.fileName) (\"protoc\": \"/path/to/protoc\")")
    }

    private static func checked(_ file: URL, _ source: String) throws -> URL {
        guard FileManager.default.isExecutableFile(atPath: file.path) else {
            throw ProtocFailure("\(source) \(file.path), which is no program")
        }
        return file
    }
}
