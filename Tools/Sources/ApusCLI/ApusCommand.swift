// SPDX-License-Identifier: Apache-2.0

import Apus
import ArgumentParser
import Foundation

struct ApusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apus",
        abstract: "Look at gRPC services, call them, load them, and see how their instances do.",
        discussion: """
            An ADDRESS is host:port, [ip]:port, :port for this machine, unix:/path,
            unix-abstract:name, or dns:///host:port. With --directory or --etcd it is
            the name of a service in that registry, and each call picks an instance.

            \u{20} apus list localhost:50051
            \u{20} apus describe localhost:50051 users.v1.Users
            \u{20} apus call localhost:50051 users.v1.Users/Get -d '{"id": 1}'
            \u{20} apus health localhost:50051 --watch
            \u{20} apus load localhost:50051 users.v1.Users/Get -d '{"id": 1}' --rate 500

            The exit status is that of the call: 0 for OK, else the number of the gRPC
            code (5 is NOT_FOUND, 14 is UNAVAILABLE), and from 64 on for mistakes in
            the command line.

            Completions for bash, zsh and fish come from the program itself:
            \u{20} apus --generate-completion-script bash > /etc/bash_completion.d/apus
            \u{20} apus --generate-completion-script zsh > ~/.zfunc/_apus
            \u{20} apus --generate-completion-script fish > apus.fish
            """,
        version: "apus 1",
        subcommands: [
            ListCommand.self, DescribeCommand.self, CallCommand.self, HealthCommand.self, LoadCommand.self,
            TopCommand.self, RegistryCommand.self, GenerateCommand.self,
        ])
}

/// Runs the command that the process was started with, and ends the process with its status.
public func exitWithApus() async -> Never {
    exit(await ApusProgram.run(Array(CommandLine.arguments.dropFirst()), StandardOutput()))
}

/// The program without its process: for `main` and for tests.
enum ApusProgram {
    /// Runs one command.
    ///
    /// - Returns: the exit status.
    static func run(_ arguments: [String], _ output: some Output) async -> Int32 {
        do {
            var command = try ApusCommand.parseAsRoot(arguments)
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            return 0
        } catch {
            return fail(error, arguments, output)
        }
    }

    private static func fail(_ error: any Error, _ arguments: [String], _ output: some Output) -> Int32 {
        if let failure = Failure(error) {
            output.complain("apus: \(failure.line)")
            return failure.status
        }
        // All is said already.
        if let code = error as? ExitCode { return code.rawValue }
        // What the parser has to say: help, completions, mistakes.
        let code = ApusCommand.exitCode(for: error).rawValue
        if code == 0 {
            output.print(ApusCommand.fullMessage(for: error))
        } else {
            let names = ApusCommand.configuration.subcommands.compactMap { $0.configuration.commandName }
            let command = arguments.first.flatMap { names.contains($0) ? " \($0)" : nil } ?? ""
            let message = Screen.harmless(ApusCommand.message(for: error).replacing("\n", with: " "))
            output.complain("apus: \(message); see 'apus\(command) --help'")
        }
        return code
    }
}
