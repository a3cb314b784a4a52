// SPDX-License-Identifier: Apache-2.0

import Foundation
import PackagePlugin

/// Generates the code of a target's .proto files whenever it is built.
@main
struct ApusPlugin: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        guard let target = target as? SourceModuleTarget else { return [] }
        let files = target.sourceFiles(withSuffix: "proto").map(\.url)
        guard !files.isEmpty else { return [] }
        let output = context.pluginWorkDirectoryURL
        let invocation = try ProtocInvocation(
            files, in: target.directoryURL, ProtocConfiguration.read(from: target.directoryURL),
            generator: context.tool(named: "protoc-gen-apus").url, output: output)
        return [
            .buildCommand(
                displayName: "Generating Swift for the .proto files of \(target.name)",
                executable: invocation.protoc, arguments: invocation.arguments, inputFiles: invocation.inputs,
                outputFiles: invocation.outputs)
        ]
    }
}
