// SPDX-License-Identifier: Apache-2.0

import Apus
import ArgumentParser
import Foundation
import Schemas

struct GenerateCommand: ParsableCommand {
    enum Visibility: String, ExpressibleByArgument, CaseIterable {
        case `internal`, package, `public`
    }

    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Write the Swift code of .proto files: messages, clients and servers.",
        usage: "apus generate [<options>] <file> ...",
        discussion: """
            Runs protoc with protoc-gen-apus, which is looked for in --plugin, beside
            this program, on the PATH, and in .build of the folder.

            \u{20} apus generate users.proto --output Sources/Protos --visibility public
            \u{20} apus generate proto/*.proto -I proto --client-only
            """)

    @Argument(help: ArgumentHelp("The .proto files.", valueName: "file")) var files: [String]
    @Option(name: .shortAndLong, help: ArgumentHelp("Where the code goes.", valueName: "folder")) var output = "."
    @Option(
        name: [.customShort("I"), .customLong("proto-path")],
        help: ArgumentHelp("Where imports are found; may be repeated.", valueName: "folder"))
    var imports: [String] = []
    @Option(help: "Who may use the code.") var visibility = Visibility.internal
    @Flag(help: "No code for servers.") var clientOnly = false
    @Flag(help: "No code for clients.") var serverOnly = false
    @Option(help: ArgumentHelp("The module that the code imports.", valueName: "module")) var module: String?
    @Option(help: ArgumentHelp("The program protoc-gen-apus.", valueName: "file")) var plugin: String?

    func validate() throws {
        guard !clientOnly || !serverOnly else { throw ValidationError("Either --client-only or --server-only.") }
    }

    func run() throws {
        let environment = ProcessInfo.processInfo.environment
        let compiler = try Mistake.finding { () throws(RPCError) in try Protoc(in: environment) }
        let plugin = try findPlugin(environment)
        do {
            try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true)
        } catch {
            throw Mistake("the folder \(output) cannot be made: \(error.localizedDescription)")
        }
        try Mistake.finding { () throws(RPCError) in try compiler.run(arguments(plugin)) }
        StandardOutput().print("\(Figures.plural(files.count, "file")) generated into \(output)")
    }

    /// What protoc is told.
    func arguments(_ plugin: String) -> [String] {
        var options = ["visibility=\(visibility.rawValue)", "file_naming=base"]
        if clientOnly { options.append("server=false") }
        if serverOnly { options.append("client=false") }
        if let module { options.append("import=\(module)") }
        return Protoc.includes(imports, of: files)
            + ["--plugin=protoc-gen-apus=\(plugin)", "--apus_out=\(options.joined(separator: ",")):\(output)"] + files
    }

    private func findPlugin(_ environment: [String: String]) throws(Mistake) -> String {
        let name = "protoc-gen-apus"
        if let plugin { return try existing(plugin) }
        let own = Bundle.main.executableURL?.deletingLastPathComponent().appending(path: name).path
        let built = [".build/release/\(name)", ".build/debug/\(name)"]
        let candidates = [own].compactMap(\.self) + [Protoc.find(name, in: environment)].compactMap(\.self) + built
        guard let found = candidates.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
            throw Mistake(
                "protoc-gen-apus is nowhere: build it with 'swift build --product protoc-gen-apus' in Apus' folder, and"
                    + " name it with --plugin")
        }
        return found
    }

    private func existing(_ path: String) throws(Mistake) -> String {
        guard FileManager.default.isExecutableFile(atPath: path) else { throw Mistake("\(path) is no program") }
        return path
    }
}
