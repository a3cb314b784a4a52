// SPDX-License-Identifier: Apache-2.0

import Apus

extension InteropCase {
    /// What servers tell of their load (ORCA).
    static let load: [InteropCase] = [
        InteropCase("orca_per_rpc") { client in
            let wanted = TestOrcaReport(
                cpuUtilization: 0.8210, memoryUtilization: 0.5847, requestCost: ["cost": 3456.32],
                utilization: ["util": 0.30499])
            let response = try await client.channel.unary(
                TestService.Methods.unaryCall, SimpleRequest(orcaPerQueryReport: wanted))
            try expect("the report", ORCAReports.perCall.report(in: response.trailers), is: LoadReport(wanted))
            // Nothing is left of it in a call that wants no report.
            let next = try await client.channel.unary(TestService.Methods.unaryCall, SimpleRequest())
            try expect("the next call's report", ORCAReports.perCall.report(in: next.trailers), is: nil)
        },
        InteropCase("orca_oob") { client in
            let call = client.test.fullDuplexCall()
            let reports = try await OpenRcaService.Client(client.channel).streamCoreMetrics(
                OrcaLoadReportRequest(reportInterval: ProtobufDuration(.milliseconds(100))),
                options: CallOptions(timeout: .seconds(60)))
            var responses: ResponseStream<ProtobufCodec<StreamingOutputCallResponse>>?
            for wanted in [
                TestOrcaReport(cpuUtilization: 0.8210, memoryUtilization: 0.5847, utilization: ["util": 0.30499]),
                TestOrcaReport(cpuUtilization: 0.29309, memoryUtilization: 0.2, utilization: ["util": 0.2039]),
            ] {
                try await call.requests.write(
                    StreamingOutputCallRequest(
                        responseParameters: [ResponseParameters(size: 1)], orcaOobReport: wanted))
                if responses == nil { responses = try await call.responses() }
                try (await responses?.next()?.payload).expectZeros("a response of 1 byte", 1)
                try await reports.expect(LoadReport(wanted))
            }
            call.requests.finish()
            try await responses?.expectEnd()
        },
    ]
}

extension ResponseStream<ProtobufCodec<OrcaLoadReport>> {
    /// Reads until a report is as expected.
    ///
    /// - Throws: ``InteropFailure``, or why the call failed.
    fileprivate func expect(_ report: LoadReport) async throws {
        while let next = try await next() {
            if LoadReport(next) == report { return }
        }
        throw InteropFailure("expected \(report), came the end of the reports")
    }
}
