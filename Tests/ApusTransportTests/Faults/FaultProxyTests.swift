// SPDX-License-Identifier: Apache-2.0

#if os(Linux)
    import ApusCore
    import ApusTestSupport
    import ApusTransport
    import Testing

    /// The faults of the matrix that sockets have ways of their own with: over TCP, through a proxy. In processes of
    /// their own, so that the descriptors are the calls' alone.
    @Suite struct FaultProxyTests {
        @Test(arguments: CallKind.allCases, Fault.allCases)
        func `a fault at any point of a call over TCP ends it rightly`(_ kind: CallKind, _ fault: Fault) async {
            await #expect(processExitsWith: .success) { [kind = kind as CallKind, fault = fault as Fault] in
                let service = RecordedService()
                let running = try Server([service]).start(on: .host("127.0.0.1", port: 0))
                let direct = Channel("recorded", interceptors: [ToEndpoint(running.addresses[0])])
                #expect(await RecordedCall(.unary, on: direct, CallOptions()).code == .ok)
                let descriptors = LeakCheck.descriptors(on: "socket:")
                for test in FaultCase.all(kind, fault) where test.patience == .deadline {
                    try await play(test, running, direct)
                    await eventually { running.counts.connections == 1 && running.counts.handlers == 0 }
                    await eventually { LeakCheck.descriptors(on: "socket:") == descriptors }
                    for entry in service.record.all { test.judge(entry) }
                    service.record.forget()
                }
                direct.close()
                await running.stop(grace: .seconds(60))
            }
        }
    }

    private func play(_ test: FaultCase, _ running: RunningServer, _ direct: Channel) async throws {
        let proxy = try FaultProxy(to: running.addresses[0], test)
        let scripts = proxy.serve(connections: 3)
        let channel = Channel("recorded", interceptors: [ToEndpoint(proxy.address)])
        // A changed length may announce bytes that never come.
        let options = CallOptions(timeout: test.fault == .corrupt ? .seconds(1) : nil)
        let call = Task { await RecordedCall(test.kind, on: channel, options) }
        await proxy.struck.wait()
        // Others are served meanwhile.
        #expect(await RecordedCall(.unary, on: direct, CallOptions()).code == .ok)
        if test.fault == .stall { call.cancel() }
        proxy.release()
        let ended = await call.value
        if let legal = test.legalCodesOverTCP { #expect(legal.contains(ended.code), "\(test): \(ended.message)") }
        if ended.code == .ok { test.expect(ended.responses, (0..<test.kind.responses).map(RecordedService.response)) }
        // After a changed byte on another connection: HPACK's tables may differ on the first.
        if test.fault == .corrupt { channel.close() }
        let second = test.fault == .corrupt ? Channel("recorded", interceptors: [ToEndpoint(proxy.address)]) : channel
        if test.fault != .stall { await expectRecovery(second, test) }
        second.close()
        await finish(proxy, scripts)
    }

    // A channel that lost its connection makes another. A call that goes out before it knows of the loss may fail.
    private func expectRecovery(_ channel: Channel, _ test: FaultCase) async {
        let options = CallOptions(waitForReady: true)
        var answer = await RecordedCall(.unary, on: channel, options)
        if answer.code == .unavailable { answer = await RecordedCall(.unary, on: channel, options) }
        #expect(answer.code == .ok, "\(test): \(answer.message)")
    }

    // Connections that nobody made are made now, so that every script ends.
    private func finish(_ proxy: FaultProxy, _ scripts: [Script<Void>]) async {
        for _ in scripts { try? RawSocket(connectingTo: proxy.address).close() }
        for script in scripts { _ = try? await script.value }
    }

    extension FaultCase {
        /// As in the matrix, but that TCP drops what a receiver has not read when a reset comes, and that a test's
        /// patience ends by a cancellation.
        fileprivate var legalCodesOverTCP: Set<Status.Code>? {
            let isLast = moment == .afterEnd
            if fault == .stall { return isLast ? [.ok, .cancelled] : [.cancelled] }
            if fault == .reset, isLast, direction == .toClient { return [.ok, .unavailable] }
            return legalCodes
        }

        fileprivate func expect(_ messages: [MessageBytes], _ sent: [MessageBytes]) {
            #expect(admits(messages, for: sent), "\(self)")
        }

        fileprivate func judge(_ entry: RecordedService.Record.Entry) {
            #expect(entry.end != nil, "\(self)")
            guard entry.isFinished else { return }
            expect(entry.requests, (0..<entry.kind.requests).map(RecordedService.request))
        }
    }
#endif
