// SPDX-License-Identifier: Apache-2.0
// Tells clients how loaded a server is: gRPC C++ 1.51 has neither a service for that, nor (in Debian's packages) what
// its header of recorders declares.
//
// Source: gRFC A51.
#pragma once

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <thread>

#include "grpc/testing/messages.pb.h"
#include "xds/service/orca/v3/orca.grpc.pb.h"

namespace grpc::testing {

using ::xds::data::orca::v3::OrcaLoadReport;
using ::xds::service::orca::v3::OpenRcaService;
using ::xds::service::orca::v3::OrcaLoadReportRequest;

inline const std::string kReportKey = "endpoint-load-metrics-bin";

inline OrcaLoadReport ToReport(const TestOrcaReport& wanted) {
    OrcaLoadReport report;
    report.set_cpu_utilization(wanted.cpu_utilization());
    report.set_mem_utilization(wanted.memory_utilization());
    *report.mutable_request_cost() = wanted.request_cost();
    *report.mutable_utilization() = wanted.utilization();
    return report;
}

class Reports final : public OpenRcaService::Service {
   public:
    void Set(const OrcaLoadReport& report) {
        std::lock_guard<std::mutex> lock(mutex_);
        report_ = report;
    }

    OrcaLoadReport Get() {
        std::lock_guard<std::mutex> lock(mutex_);
        return report_;
    }

   private:
    Status StreamCoreMetrics(
        ServerContext* context, const OrcaLoadReportRequest* request, ServerWriter<OrcaLoadReport>* writer) override {
        const auto asked = std::chrono::seconds(request->report_interval().seconds()) +
                           std::chrono::nanoseconds(request->report_interval().nanos());
        const auto interval = std::max<std::chrono::nanoseconds>(asked, std::chrono::milliseconds(10));
        while (!context->IsCancelled() && writer->Write(Get())) std::this_thread::sleep_for(interval);
        return Status::CANCELLED;
    }

    std::mutex mutex_;
    OrcaLoadReport report_;
};

}  // namespace grpc::testing
