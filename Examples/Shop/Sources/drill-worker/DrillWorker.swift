// SPDX-License-Identifier: Apache-2.0

import Apus
import ArgumentParser
import DrillProtos
import Foundation
import Processes

@main
struct DrillWorker: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drill-worker", abstract: "An instance of the failure drill: works, or ails when it is told to.")

    @Option(help: "The folder of the registry.")
    var registry: String

    @Option(help: "The name of this instance.")
    var instance: String

    @Option(help: "The version of this instance.")
    var version = "1"

    @Flag(help: "Never become ready: start, and enter no registry.")
    var unready = false

    @Option(help: "Seconds after which the registry forgets this process should it die without leaving.")
    var lease = 3.0

    func validate() throws {
        guard lease > 0, lease < 86_400 else { throw ValidationError("--lease is more than 0 s and less than a day") }
    }

    func run() async throws {
        Lifeline.hold()
        if unready { return await Self.standStill() }
        let metadata = [
            "instance": instance, "version": version, "pid": String(ProcessInfo.processInfo.processIdentifier),
        ]
        try await Server([Worker(instance: instance)])
            .serve(
                on: .host("127.0.0.1", port: 0), as: "work",
                in: DirectoryRegistry(path: registry, lease: .seconds(lease)), metadata: metadata)
    }

    // Until a signal ends the process.
    private static func standStill() async {
        while true { try? await Task.sleep(for: .seconds(3600)) }
    }
}
