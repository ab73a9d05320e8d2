// SPDX-License-Identifier: Apache-2.0
// Grafana's classic dashboards, as much of them as ours need. It knows nothing of sockets.
{
  local lib = self,

  // Every panel and every variable asks whatever Prometheus is chosen at the top.
  datasource:: { type: 'prometheus', uid: '${datasource}' },

  // What each query asks for, so that the variables mean something.
  selector:: 'job=~"$job", instance=~"$instance"',

  // Histograms, whether Prometheus keeps the classic buckets or the native ones. Quantiles bear the
  // same labels either way, and `or` takes the classic first; of nothing they are NaN, which `>` drops.
  quantile(q, metric, selector, by=''):: (
    local le = std.join(', ', std.filter(function(l) l != '', ['le', by]));
    |||
      (
        histogram_quantile(%(q)g, sum by (%(le)s) (rate(%(m)s_bucket{%(s)s}[$__rate_interval])))
        or
        histogram_quantile(%(q)g, sum%(by)s (rate(%(m)s{%(s)s}[$__rate_interval])))
      ) > 0
    ||| % {
      q: q,
      m: metric,
      s: selector,
      le: le,
      by: if by == '' then '' else ' by (%s)' % by,
    }
  ),
  // The cells of a heat map have le or have it not, so that only `on ()` makes it one or the other.
  cells(metric, selector)::
    |||
      sum by (le) (increase(%(m)s_bucket{%(s)s}[$__rate_interval]))
      or on ()
      sum (increase(%(m)s{%(s)s}[$__rate_interval]))
    ||| % { m: metric, s: selector },

  // A query; `instant` for what a table shows.
  target(expr, legend=''):: {
    datasource: lib.datasource,
    editorMode: 'code',
    expr: std.rstripChars(expr, '\n'),
    legendFormat: legend,
    range: true,
  },
  cellsTarget(metric, selector)::
    lib.target(lib.cells(metric, selector), '{{le}}') + { format: 'heatmap' },
  tableTarget(expr):: lib.target(expr) + { format: 'table', instant: true, range: false },

  local panel(type, title, description, unit, targets, width, height) = {
    type: type,
    title: title,
    description: description,
    datasource: lib.datasource,
    fieldConfig: { defaults: { unit: unit }, overrides: [] },
    gridPos: { h: height, w: width },
    targets: std.mapWithIndex(
      function(i, target) target { refId: std.char(std.codepoint('A') + i) },
      targets,
    ),
  },

  // [[color], [color, from], …], the first of which is from wherever values begin.
  thresholds(steps):: {
    fieldConfig+: {
      defaults+: {
        thresholds: {
          mode: 'absolute',
          steps: [{ color: steps[0][0], value: null }] +
                 [{ color: step[0], value: step[1] } for step in steps[1:]],
        },
      },
    },
  },

  stat(title, description, unit, targets, steps, width=3, height=5)::
    panel('stat', title, description, unit, targets, width, height) + lib.thresholds(steps) + {
      fieldConfig+: { defaults+: { color: { mode: 'thresholds' }, min: 0, noValue: 'none' } },
      options: {
        colorMode: 'value',
        graphMode: 'area',
        justifyMode: 'auto',
        orientation: 'auto',
        reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
        textMode: 'value',
        wideLayout: true,
      },
    },

  timeseries(title, description, unit, targets, width=8, height=8)::
    panel('timeseries', title, description, unit, targets, width, height) + {
      fieldConfig+: {
        defaults+: {
          color: { mode: 'palette-classic' },
          custom: {
            drawStyle: 'line',
            fillOpacity: 8,
            gradientMode: 'none',
            lineInterpolation: 'linear',
            lineWidth: 1,
            pointSize: 4,
            showPoints: 'never',
            spanNulls: false,
            stacking: { group: 'A', mode: 'none' },
          },
          min: 0,
        },
      },
      options: {
        legend: { calcs: [], displayMode: 'list', placement: 'bottom', showLegend: true },
        tooltip: { mode: 'multi', sort: 'desc' },
      },
    },
  // What may be added to a panel of time series.
  stacked:: {
    fieldConfig+: {
      defaults+: { custom+: { fillOpacity: 30, lineWidth: 1, stacking+: { mode: 'normal' } } },
    },
  },
  // What happens now and then.
  bars:: { fieldConfig+: { defaults+: { custom+: { drawStyle: 'bars', fillOpacity: 60 } } } },
  // What flows the other way goes down.
  mirrored(regex):: {
    fieldConfig+: {
      defaults+: { min:: null, custom+: { axisCenteredZero: true } },
      overrides+: [
        {
          matcher: { id: 'byRegexp', options: regex },
          properties: [{ id: 'custom.transform', value: 'negative-Y' }],
        },
      ],
    },
  },
  // What is said where there is nothing, and that is good.
  nothing(text):: { fieldConfig+: { defaults+: { noValue: text } } },
  limited(max):: { fieldConfig+: { defaults+: { max: max } } },
  // Thresholds as dashed lines.
  lines(steps):: lib.thresholds(steps) + {
    fieldConfig+: { defaults+: { custom+: { thresholdsStyle: { mode: 'dashed' } } } },
  },
  // A series that is a limit, and no usage.
  limits(regex):: {
    fieldConfig+: {
      overrides+: [
        {
          matcher: { id: 'byRegexp', options: regex },
          properties: [
            { id: 'color', value: { fixedColor: 'red', mode: 'fixed' } },
            { id: 'custom.fillOpacity', value: 0 },
            { id: 'custom.lineStyle', value: { dash: [8, 6], fill: 'dash' } },
            { id: 'custom.stacking', value: { group: 'limits', mode: 'none' } },
          ],
        },
      ],
    },
  },
  // The colors of values that mean something: {name: color}.
  colored(colors):: {
    fieldConfig+: {
      overrides+: [
        {
          matcher: { id: 'byName', options: name },
          properties: [{ id: 'color', value: { fixedColor: colors[name], mode: 'fixed' } }],
        }
        for name in std.objectFields(colors)
      ],
    },
  },

  heatmap(title, description, unit, targets, width=12, height=9)::
    panel('heatmap', title, description, unit, targets, width, height) + {
      fieldConfig+: {
        defaults+: { custom: { hideFrom: { legend: false, tooltip: false, viz: false } } },
      },
      options: {
        calculate: false,
        cellGap: 1,
        cellValues: { unit: 'short' },
        color: {
          exponent: 0.5,
          fill: 'dark-orange',
          mode: 'scheme',
          reverse: false,
          scale: 'exponential',
          scheme: 'Spectral',
          steps: 64,
        },
        exemplars: { color: 'rgba(255,0,255,0.7)' },
        filterValues: { le: 1e-9 },
        legend: { show: true },
        rowsFrame: { layout: 'auto' },
        tooltip: { mode: 'single', showColorScale: true, yHistogram: true },
        yAxis: { axisPlacement: 'left', reverse: false, unit: unit },
      },
    },

  stateTimeline(title, description, unit, targets, steps, width=24, height=8)::
    panel('state-timeline', title, description, unit, targets, width, height) +
    lib.thresholds(steps) + {
      fieldConfig+: {
        defaults+: { color: { mode: 'thresholds' }, custom: { fillOpacity: 80, lineWidth: 0 } },
      },
      options: {
        alignValue: 'center',
        legend: { displayMode: 'list', placement: 'bottom', showLegend: false },
        mergeValues: true,
        rowHeight: 0.85,
        showValue: 'never',
        tooltip: { mode: 'single', sort: 'none' },
      },
    },

  // A table whose rows are label sets. COLUMNS: of a label, or of the query with that letter:
  //   {label: 'port', title: 'Port', link: {…}}
  //   {query: 'A', title: 'Drops', unit: 'cps', steps: […], bar: most}
  table(title, description, columns, targets, sort, width=24, height=10)::
    local key(column) =
      if std.objectHas(column, 'label') then column.label else 'Value #' + column.query;
    panel('table', title, description, 'short', targets, width, height) + {
      fieldConfig+: {
        defaults+: { custom: { align: 'auto', filterable: true, minWidth: 60 }, min: 0, noValue: '' },
        overrides: [
          {
            matcher: { id: 'byName', options: column.title },
            properties:
              // A port is no number to be rounded.
              (if std.objectHas(column, 'label') then [{ id: 'unit', value: 'string' }] else []) +
              lib.optional(column, 'unit', function(unit) [{ id: 'unit', value: unit }]) +
              lib.optional(column, 'width', function(n) [{ id: 'custom.width', value: n }]) +
              lib.optional(column, 'decimals', function(n) [{ id: 'decimals', value: n }]) +
              lib.optional(column, 'link', function(link) [{ id: 'links', value: [link] }]) +
              lib.optional(column, 'bar', function(most) [
                { id: 'custom.cellOptions', value: { mode: 'basic', type: 'gauge' } },
                { id: 'max', value: most },
              ]) +
              lib.optional(column, 'steps', function(steps) [
                { id: 'thresholds', value: lib.thresholds(steps).fieldConfig.defaults.thresholds },
                { id: 'color', value: { mode: 'thresholds' } },
              ] + (
                if std.objectHas(column, 'bar') then []
                else [{ id: 'custom.cellOptions', value: { type: 'color-text' } }]
              )),
          }
          for column in columns
        ],
      },
      options: {
        cellHeight: 'sm',
        footer: { countRows: false, fields: '', reducer: ['sum'], show: false },
        showHeader: true,
        sortBy: [{ desc: true, displayName: sort }],
      },
      transformations: [
        { id: 'merge', options: {} },
        {
          id: 'organize',
          options: {
            excludeByName: { Time: true },
            indexByName: { [key(columns[i])]: i for i in std.range(0, std.length(columns) - 1) },
            renameByName: { [key(column)]: column.title for column in columns },
          },
        },
      ],
    },
  optional(object, field, f):: if std.objectHas(object, field) then f(object[field]) else [],

  // A heading, and the panels below it from left to right, wrapped where they do not fit.
  row(title, panels):: { title: title, panels: panels },
  local place(rows) = (
    local put(state, panel) = (
      local wraps = state.x + panel.gridPos.w > 24;
      local x = if wraps then 0 else state.x;
      local y = if wraps then state.y + state.height else state.y;
      {
        x: x + panel.gridPos.w,
        y: y,
        height: if wraps then panel.gridPos.h else std.max(state.height, panel.gridPos.h),
        placed: state.placed + [panel { gridPos+: { x: x, y: y } }],
      }
    );
    local head(title) = {
      type: 'row',
      title: title,
      collapsed: false,
      gridPos: { h: 1, w: 24 },
      panels: [],
    };
    local flow(state, row) = std.foldl(
      put,
      (if row.title == '' then [] else [head(row.title)]) + row.panels,
      state { x: 24 },
    );
    local end = std.foldl(flow, rows, { x: 0, y: 0, height: 0, placed: [] });
    std.mapWithIndex(function(i, panel) panel { id: i + 1 }, end.placed)
  ),

  // The variables. `first`: the first value is chosen, and not all of them.
  datasourceVariable:: {
    name: 'datasource',
    label: 'Data source',
    type: 'datasource',
    query: 'prometheus',
    current: {},
    hide: 0,
    includeAll: false,
    multi: false,
    options: [],
    refresh: 1,
    regex: '',
    skipUrlSync: false,
  },
  variable(name, label, description, query, first=false):: {
    name: name,
    label: label,
    description: description,
    type: 'query',
    datasource: lib.datasource,
    definition: query,
    query: { qryType: 1, query: query, refId: 'PrometheusVariableQueryEditor-VariableQuery' },
    allValue: '.+',
    current: if first then {} else { selected: true, text: ['All'], value: ['$__all'] },
    hide: 0,
    includeAll: true,
    multi: true,
    options: [],
    refresh: 2,
    regex: '',
    skipUrlSync: false,
    sort: 1,
  },
  choice(name, label, description, values):: {
    name: name,
    label: label,
    description: description,
    type: 'custom',
    query: std.join(',', values),
    current: { selected: true, text: values[0], value: values[0] },
    hide: 0,
    includeAll: false,
    multi: false,
    options: [{ selected: value == values[0], text: value, value: value } for value in values],
    skipUrlSync: false,
  },

  // A mark on every graph, at the time in milliseconds that a query answers.
  annotation(name, color, expr, title, text=''):: {
    name: name,
    datasource: lib.datasource,
    enable: true,
    hide: false,
    expr: expr,
    iconColor: color,
    step: '60s',
    tagKeys: 'instance',
    textFormat: text,
    titleFormat: title,
    useValueForTime: 'on',
  },

  // A link to another dashboard that keeps what is chosen here.
  link(title, uid, more=''):: {
    title: title,
    url: '/d/%s?${datasource:queryparam}&${job:queryparam}%s&${__url_time_range}' % [uid, more],
  },

  dashboard(c, uid, title, description, variables, rows, annotations, from='now-3h'):: {
    uid: uid,
    title: c.dashboardNamePrefix + title,
    description: description,
    tags: c.dashboardTags,
    annotations: { list: annotations },
    editable: false,
    fiscalYearStartMonth: 0,
    graphTooltip: 1,
    links: [
      {
        asDropdown: false,
        icon: 'external link',
        includeVars: true,
        keepTime: true,
        tags: c.dashboardTags,
        targetBlank: false,
        title: 'sockstatd',
        tooltip: '',
        type: 'dashboards',
      },
    ],
    liveNow: false,
    panels: place(rows),
    refresh: c.dashboardRefresh,
    schemaVersion: 39,
    templating: { list: [lib.datasourceVariable] + variables },
    time: { from: from, to: 'now' },
    timepicker: {},
    timezone: 'browser',
    version: 1,
    weekStart: '',
  },
}
