//! scratch
use gristmill_kernels::*;
use gristmill_trainer::{
    engine::*, layout::Shape, network::*, objective::*, preprocess::*, samples::*,
};
use std::time::Instant;
fn cpu() -> f64 {
    let s = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    let _ = s;
    let mut t = 0.0;
    for e in std::fs::read_dir("/proc/self/task").unwrap() {
        let s = std::fs::read_to_string(e.unwrap().path().join("schedstat")).unwrap();
        t += s.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9;
    }
    t
}
fn main() {
    let threads: usize = std::env::args().nth(1).map_or(2, |s| s.parse().unwrap());
    let isa = Isa::from_env().unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let secs: f64 = std::env::args().nth(2).map_or(1.0, |s| s.parse().unwrap());
    let only = std::env::args().nth(3);
    for (name, sizes, batch, adam, loss) in [
        ("seed", vec![3usize, 1], 4usize, false, Loss::MeanSquared),
        ("tab", vec![28, 64, 64, 1], 64, true, Loss::BinaryCrossEntropy),
        ("higgs", vec![28, 300, 300, 300, 300, 1], 1024, true, Loss::BinaryCrossEntropy),
        ("mnist", vec![784, 512, 256, 10], 128, true, Loss::SoftmaxCrossEntropy),
        ("wide", vec![1024, 4096, 4096, 1000], 512, false, Loss::SoftmaxCrossEntropy),
    ] {
        if let Some(o) = &only {
            if o != name {
                continue;
            }
        }
        let n = if name == "seed" { 4 } else { (batch * 16).max(4096) };
        let mut st = 1u32;
        let mut rnd = || {
            st = st.wrapping_mul(1664525).wrapping_add(1013904223);
            (st >> 8) as f32 / 16777216.0 - 0.5
        };
        let x: Vec<f32> = (0..n * sizes[0]).map(|_| rnd() * 3.4).collect();
        let classes = if loss == Loss::SoftmaxCrossEntropy { *sizes.last().unwrap() } else { 2 };
        let labels: Vec<u32> = (0..n).map(|_| ((rnd() + 0.5) * classes as f32) as u32).collect();
        let t =
            Table::of_classes(&x, labels, (0..classes).map(|i| i.to_string()).collect()).unwrap();
        let layers: Vec<Layer> = (0..sizes.len() - 1)
            .map(|i| Layer {
                shape: Shape { inputs: sizes[i], outputs: sizes[i + 1], bias: true },
                activation: if i + 2 < sizes.len() {
                    Activation::Relu
                } else if name == "seed" {
                    Activation::Sigmoid
                } else {
                    Activation::Identity
                },
                dropout: 0.0,
            })
            .collect();
        let mut net = Network::zeroed(layers);
        for l in 0..sizes.len() - 1 {
            let w: Vec<f32> = (0..sizes[l] * sizes[l + 1])
                .map(|_| rnd() * (12.0f32 / sizes[l] as f32).sqrt() * 0.8)
                .collect();
            net.set_layer_weights(l, &w, &vec![0.0; sizes[l + 1]]);
        }
        let obj = Objective {
            loss,
            targets: if classes > 2 { TargetKind::Classes } else { TargetKind::Indicators },
            class_weights: vec![],
        };
        let rule = if adam {
            UpdateRule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
        } else if name == "seed" {
            UpdateRule::Sgd
        } else {
            UpdateRule::Momentum { beta: 0.9, nesterov: false }
        };
        let flops: usize = (0..sizes.len() - 1)
            .map(|i| sizes[i] * sizes[i + 1] * if i == 0 { 4 } else { 6 })
            .sum();
        pool.install(|| {
   let mut e=Engine::new(isa,net,Preprocess::new(&vec![gristmill_trainer::model::Trained::UNSCALED;sizes[0]],vec![]),obj,rule,None,batch);
   let mut k=0u64; let mut go=|e:&mut Engine|{ let base=(k as usize*batch)%n; k+=1; e.step(&t,batch,&|i|(base+i) as u64,StepPlan{step:Step::plain(rule,if adam{1e-3}else{1e-2},k),dropout_seed:1})};
   let first=go(&mut e); for _ in 0..3 {go(&mut e);}
   let c0=cpu(); let mut tot=0usize; let mut rates=vec![]; let mut last=first;
   for _ in 0..5 { let t0=Instant::now(); let mut c=0; while t0.elapsed().as_secs_f64()<secs/5.0 { for _ in 0..(if batch<100 {64} else {1}) {last=go(&mut e);c+=1; tot+=batch;} } rates.push((c*batch) as f64/t0.elapsed().as_secs_f64()); }
   rates.sort_by(f64::total_cmp);
   println!("{name:6} {isa} t={threads} {:>12.0} samples/s  {:6.1} GFLOP/s  loss {:.4} -> {:.4}  | per cpu-s {:.0} = {:.1} GFLOP/s", rates[2], rates[2]*flops as f64/1e9, first.loss/first.weight, last.loss/last.weight, tot as f64/(cpu()-c0), tot as f64/(cpu()-c0)*flops as f64/1e9);
  });
    }
}
