// SPDX-License-Identifier: Apache-2.0

import Apus
import Logging
import ServiceLifecycle

// A server among the services of a process: here it is alone, and answers health checks until SIGTERM or SIGINT.
let logger = Logger(label: "lifecycle-server")
let server = ServerService(try Server([Health()]), listeningOn: [.address(.host("127.0.0.1", port: 0))]) { running in
    logger.info("listening on \(running.addresses[0])")
}
try await ServiceGroup(services: [server], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger).run()
logger.info("stopped")
