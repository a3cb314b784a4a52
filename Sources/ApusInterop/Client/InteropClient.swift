// SPDX-License-Identifier: Apache-2.0

package import Apus

/// What a case works with: a channel to the server, the way to open more of them, and the soak cases' limits.
package struct InteropClient: Sendable {
    /// The channel of the cases that need one.
    package let channel: Channel
    /// Opens another channel to the same server.
    package let open: @Sendable () -> Channel
    /// The limits of the soak cases.
    package var soak: SoakLimits
    /// The time that the case `goaway` gives its server between two calls.
    package var pause = Duration.seconds(1)
    /// What the cases measure time with and wait on.
    let clock: any MonotonicClock

    /// A client of the server that `open` leads to.
    package init(
        soak: SoakLimits = SoakLimits(), clock: any MonotonicClock = SystemClock(),
        open: @escaping @Sendable () -> Channel
    ) {
        self.soak = soak
        self.clock = clock
        self.open = open
        channel = open()
    }

    var test: TestService.Client { TestService.Client(channel) }

    /// Runs the case that the arguments name: the program `apus-interop-client`.
    ///
    /// - Throws: ``FlagError``; ``InteropFailure`` and `RPCError` for a case that failed.
    package static func run(_ arguments: [String]) async throws {
        let flags = try ClientFlags(arguments)
        let client = InteropClient(soak: flags.soak) { flags.channel() }
        defer { client.channel.close() }
        try await client.run(flags.testCase)
        InteropProgram.print("\(flags.testCase.name): passed")
    }

    /// Runs a case.
    ///
    /// - Throws: ``InteropFailure`` with the case's name for whatever went wrong.
    package func run(_ testCase: InteropCase) async throws {
        do {
            try await testCase.body(self)
        } catch {
            throw InteropFailure("\(testCase.name) failed: \(error)")
        }
    }
}

/// What was expected and what came instead, in one line.
package struct InteropFailure: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}
