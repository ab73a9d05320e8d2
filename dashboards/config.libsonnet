// SPDX-License-Identifier: Apache-2.0
// What a fleet may want otherwise: jsonnet's `+` over `_config` changes it.
{
  _config+:: {
    // Which series are sockstatd's.
    sockstatdSelector: 'job="sockstatd"',
    // What makes two series those of one daemon's one network namespace.
    instanceLabels: 'job, instance, netns',
    // The sections of runbook.md.
    runbookURL: 'runbook.md#%s',

    dashboardNamePrefix: 'sockstatd / ',
    dashboardTags: ['sockstatd'],
    dashboardRefresh: '30s',

    // How long an overflow is one after the last drop, and how long before it pages.
    overflowWindow: '5m',
    overflowFor: '1m',
    acceptQueueNearRatio: 0.8,
    synQueueRequests: 256,
    retransmitRatio: 0.02,
    retransmitLeastSegmentsPerSecond: 50,
    zeroWindowSockets: 10,
    closeWaitSockets: 100,
    ephemeralPortsRatio: 0.8,
    timeWaitRatio: 0.8,
    orphansRatio: 0.5,
  },
}
