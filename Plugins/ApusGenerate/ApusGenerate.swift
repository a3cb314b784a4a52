// SPDX-License-Identifier: Apache-2.0

import Foundation
import PackagePlugin

/// `swift package generate-apus [--target NAME]...`: writes the code of .proto files into the package, for those who
/// keep it in their repository.
@main
struct ApusGenerate: CommandPlugin {
    func performCommand(context: PluginContext, arguments: [String]) throws {
        var extractor = ArgumentExtractor(arguments)
        let names = extractor.extractOption(named: "target")
        if let unknown = extractor.remainingArguments.first {
            throw ProtocFailure("unknown argument '\(unknown)': there is only --target NAME")
        }
        let targets = names.isEmpty ? context.package.targets : try context.package.targets(named: names)
        let generator = try context.tool(named: "protoc-gen-apus").url
        for case let target as SourceModuleTarget in targets { try generate(target, generator) }
    }

    private func generate(_ target: SourceModuleTarget, _ generator: URL) throws {
        let files = target.sourceFiles(withSuffix: "proto").map(\.url)
        guard !files.isEmpty else { return }
        let configuration = try ProtocConfiguration.read(from: target.directoryURL)
        let output = target.directoryURL.appending(path: configuration.output ?? "Generated")
        try FileManager.default.createDirectory(at: output, withIntermediateDirectories: true)
        let invocation = try ProtocInvocation(
            files, in: target.directoryURL, configuration, generator: generator, output: output)
        let process = Process()
        process.executableURL = invocation.protoc
        process.arguments = invocation.arguments
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw ProtocFailure("protoc refuses the .proto files of \(target.name), see above")
        }
        for file in invocation.outputs { print(file.path) }
    }
}
