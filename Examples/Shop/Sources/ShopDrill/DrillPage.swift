// SPDX-License-Identifier: Apache-2.0

import Apus
import ApusAdmin

/// The admin page of the drill's customers: a look at the shop while it works. The drill goes on without it.
struct DrillPage: Sendable {
    private let telemetry: AdminTelemetry
    private let channels: [Channel]
    private let screen: Screen

    init(_ telemetry: AdminTelemetry, _ channels: [Channel], _ screen: Screen) {
        self.telemetry = telemetry
        self.channels = channels
        self.screen = screen
    }

    /// Opens the page on its usual port, or on a free one when another program has that. It is there until the task is
    /// cancelled.
    func open() -> Task<Void, Never> {
        Task {
            if await serve(port: AdminOptions().port) == nil { return }
            if let problem = await serve(port: 0) { screen.say("There is no admin page: \(problem)") }
        }
    }

    // Why there is no page; nil when there was one.
    private func serve(port: Int) async -> (any Error)? {
        var options = AdminOptions()
        options.port = port
        do {
            try await AdminServer(telemetry, channels: channels, options: options).run { address in
                screen.say("Watch it live in a browser, while it lasts: \(address)")
            }
            return nil
        } catch {
            return Task.isCancelled ? nil : error
        }
    }
}
