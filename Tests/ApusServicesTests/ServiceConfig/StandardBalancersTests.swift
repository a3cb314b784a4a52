// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusInterceptors
import Testing

@testable import ApusServices

struct StandardBalancersTests {
    private func balancer(_ json: String) throws -> (any ClientInterceptor)? {
        let config = try ServiceConfig(reading: Array(#"{"loadBalancingConfig": [\#(json)]}"#.utf8))
        return try config.balancer.flatMap { try BalancerRegistry.standard.make($0) }
    }

    @Test func `each name is the balancer that gRPC means by it`() throws {
        #expect(try balancer(#"{"random": {}}"#) is RandomBalancer)
        #expect(try balancer(#"{"round_robin": {}}"#) is RoundRobin)
        #expect(try balancer(#"{"pick_first": {"shuffleAddressList": true}}"#) is PickFirst)
        #expect(try balancer(#"{"least_request_experimental": {"choiceCount": 20}}"#) is LeastRequest)
        #expect(try balancer(#"{"weighted_random": {}}"#) is WeightedRandomBalancer)
        #expect(try balancer(#"{"peak_ewma": {}}"#) is PeakEWMA)
        #expect(try balancer(#"{"maglev": {"requestHashHeader": "X-User"}}"#) is Maglev)
        #expect(
            try balancer(#"{"ring_hash_experimental": {"requestHashHeader": "k", "minRingSize": "10"}}"#) is RingHash)
        let weighted = #"""
            {"weighted_round_robin": {"enableOobLoadReport": true, "oobReportingPeriod": "1s", "blackoutPeriod": "0s",
             "weightExpirationPeriod": "60s", "weightUpdatePeriod": "0.01s", "errorUtilizationPenalty": 2.5}}
            """#
        #expect(try balancer(weighted) is WeightedRoundRobin)
    }

    @Test func `the first name that is known counts`() throws {
        #expect(try balancer(#"{"grpclb": {}}, {"round_robin": {}}, {"random": {}}"#) is RoundRobin)
    }

    @Test(arguments: [
        (#"{"pick_first": {"shuffleAddressList": 1}}"#, "shuffleAddressList is neither true nor false"),
        (#"{"least_request_experimental": {"choiceCount": 1}}"#, "choiceCount is 1 and must be in 2..."),
        (#"{"ring_hash_experimental": {}}"#, "has no 'requestHashHeader'"),
        (#"{"ring_hash_experimental": {"requestHashHeader": ""}}"#, "requestHashHeader is empty"),
        (
            #"{"ring_hash_experimental": {"requestHashHeader": "k", "minRingSize": 9, "maxRingSize": 8}}"#,
            "minRingSize above"
        ),
        (#"{"ring_hash_experimental": {"requestHashHeader": "k", "maxRingSize": 99999999}}"#, "must be in 1...8388608"),
        (#"{"weighted_round_robin": {"errorUtilizationPenalty": -1}}"#, "must not be negative"),
        (#"{"weighted_round_robin": {"weightUpdatePeriod": "soon"}}"#, "is no duration"),
        (#"{"maglev": {}}"#, "has no 'requestHashHeader'"),
    ])
    func `options that a balancer cannot have refuse the document`(json: String, text: String) {
        let error = #expect(throws: RPCError.self) { try balancer(json) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains(text) == true, "\(error?.message ?? "")")
    }
}
