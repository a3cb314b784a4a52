// SPDX-License-Identifier: Apache-2.0

import Apus
import ArgumentParser

struct HealthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: "Whether a server, or a service of it, takes calls.",
        discussion: """
            Asks grpc.health.v1.Health. The exit status is 0 for SERVING, 1 for any
            other state, and that of the call when there is no answer.

            \u{20} apus health localhost:50051
            \u{20} apus health localhost:50051 users.v1.Users
            \u{20} apus health localhost:50051 --watch
            """)

    @Argument(help: ArgumentHelp("The server.", valueName: "address")) var address: String
    @Argument(help: "The full name of a service; the server as a whole without it.") var service: String = ""
    @Flag(help: "Go on, and tell each change; when the server is away, wait for it.") var watch = false
    @OptionGroup var call: CallArguments
    @OptionGroup var connection: ConnectionArguments

    func run() async throws {
        let channel = try connection.channel(to: address)
        defer { channel.close() }
        let request = GRPCHealthCheckRequest(service: service)
        let client = GRPCHealth.Client(channel)
        if watch { return try await follow(client, request) }
        let answer = try await client.check(request, options: call.options(standard: .seconds(5)))
        StandardOutput().print(Self.text(answer.status))
        if answer.status != .serving { throw ExitCode(1) }
    }

    // A watch that ends is begun again, as a balancer does: a restart of the server is one more change.
    private func follow(_ client: GRPCHealth.Client, _ request: GRPCHealthCheckRequest) async throws {
        let output = StandardOutput()
        var last = ""
        func tell(_ text: String) {
            if text != last { output.print("\(WallTime.now)  \(text)") }
            last = text
        }
        while true {
            do throws(RPCError) {
                let answers = try await client.watch(request, options: call.options())
                while let answer = try await answers.next() { tell(Self.text(answer.status)) }
                tell("the watch has ended")
            } catch  where error.code == .unimplemented || call.timeout != nil {
                throw error
            } catch {
                tell(Screen.harmless("\(error)"))
            }
            try await Task.sleep(for: .seconds(1))
        }
    }

    static func text(_ status: GRPCHealthCheckResponse.ServingStatus) -> String {
        switch status {
        case .serving: "SERVING"
        case .notServing: "NOT_SERVING"
        case .serviceUnknown: "SERVICE_UNKNOWN"
        case .unknown: "UNKNOWN"
        case .unrecognized(let number): "state \(number)"
        }
    }
}
